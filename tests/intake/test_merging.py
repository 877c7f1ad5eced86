"""What officers did about an incident goes with its reports when another absorbs it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activities.evidence import load_findings
from infra import audit, casefile
from infra.database import Database
from infra.tables import incident, permission, report
from intake.merging import carry_over
from notifications.grants import PermissionKind
from notifications.permissions import load_permissions, record_permission
from tests.intake.samples import START, content, major, read_all, store_of

CAUSE = {"officer": "ana", "text": "the operator says so", "cause": "natural"}
SPREADS = {"officer": "ana", "text": "it spreads", "probability": 0.9}


def country(code: str, officer: str = "ana") -> dict[str, Any]:
    return {"officer": officer, "text": "likely", "country": code, "probability": 0.8}


def two_clusters(database: Database) -> tuple[str, str]:
    """An older and a younger incident."""
    for offset, each in enumerate([content("a", "hash-1"), content("b", "hash-2")]):
        store_of(database).settle(read_all([each], first=offset), source="test")
    with database.read() as connection:
        found = connection.scalars(select(report.c.incident_id).order_by(report.c.seq))
        older, younger = found
        return older, younger


def join(database: Database) -> None:
    joining = read_all([content("c", "hash-1", "hash-2")], first=2)
    store_of(database).settle(joining, source="test")


def state(database: Database, incident_id: str, **findings: Any) -> None:
    with database.write() as connection:
        casefile.add_artefact(
            connection, incident_id, "findings", findings, by="ana", channel="cli"
        )


def permit(database: Database, incident_id: str, provider: str) -> None:
    with database.write() as connection:
        record_permission(
            connection,
            incident_id=incident_id,
            kind=PermissionKind(next(iter(PermissionKind))),
            provider=provider,
            recipients=["r-1"],
            evidence="letter 1",
            by="ana",
            given_at=START,
            expires_at=START + timedelta(days=1),
        )


def events(database: Database) -> list[str]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [str(row["event"]) for row in audit.export(connection)]


def test_findings_of_an_absorbed_incident_are_joined_to_those_of_the_survivor(
    database: Database,
) -> None:
    older, younger = two_clusters(database)
    mine = {**CAUSE, "cause": "malicious"}
    state(database, older, cause=mine, probable_countries=[country("EE"), country("FI")])
    state(database, younger, probable_countries=[country("LV")])
    state(
        database,
        younger,
        cause=CAUSE,
        propagation=SPREADS,
        probable_countries=[country("FI"), country("FI", "ben")],
    )
    join(database)
    with database.read() as connection:
        found = load_findings(connection, older)
        kept = load_findings(connection, younger)
    assert found.cause is not None
    assert (found.cause.cause, kept.cause and kept.cause.cause) == ("malicious", "natural")
    assert found.propagation is not None
    said = [(each.country, each.officer) for each in found.probable_countries]
    assert said == [("EE", "ana"), ("FI", "ana"), ("FI", "ben")]
    assert events(database).count("findings_recorded") == 4


def test_findings_survive_where_the_survivor_had_none(database: Database) -> None:
    older, younger = two_clusters(database)
    state(database, younger, cause=CAUSE)
    join(database)
    with database.read() as connection:
        found = load_findings(connection, older)
    assert found.cause is not None


@pytest.mark.parametrize("stated", ["older", "nobody"])
def test_a_merge_that_brings_no_findings_adds_no_version(database: Database, stated: str) -> None:
    older, _ = two_clusters(database)
    if stated == "older":
        state(database, older, cause=CAUSE)
    join(database)
    assert events(database).count("findings_recorded") == (1 if stated == "older" else 0)


def test_permissions_hold_for_the_incident_that_survives(database: Database) -> None:
    older, younger = two_clusters(database)
    permit(database, older, "EE police")
    permit(database, younger, "FI police")
    permit(database, younger, "LV police")
    join(database)
    with database.read() as connection:
        found = load_permissions(connection, older)
        evidence = set(connection.scalars(select(permission.c.evidence)))
        rows = [
            row for row in audit.export(connection) if row["event"] == "permissions_carried_over"
        ]
    assert [each.provider for each in found] == ["EE police", "FI police", "LV police"]
    assert evidence == {"letter 1"}
    assert [(row["subject"], row["detail"]) for row in rows] == [
        (older, {"merged": younger, "permissions": 2})
    ]


def test_a_detection_that_absorbs_a_cluster_takes_over_what_was_stated_there(
    database: Database,
) -> None:
    store_of(database).settle(
        read_all([content("a", "hash-1"), major("b", "hash-2")]), source="test"
    )
    with database.read() as connection:
        states = {row.status: row.id for row in connection.execute(select(incident))}
    state(database, states["triage"], cause=CAUSE)
    join(database)
    with database.read() as connection:
        assert load_findings(connection, states["detected"]).cause is not None


def test_what_is_carried_over_again_stands_there_once(database: Database) -> None:
    older, younger = two_clusters(database)
    permit(database, younger, "FI police")
    for _ in range(2):
        with database.write() as connection:
            carry_over(connection, younger, older)
    with database.read() as connection:
        assert [each.provider for each in load_permissions(connection, older)] == ["FI police"]
    assert events(database).count("permissions_carried_over") == 1
