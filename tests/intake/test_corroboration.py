"""The pass that follows intake: digit 3 with the ids, 4 again when those are withdrawn."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import delete, func, select, update

from infra import audit
from infra.database import Database
from infra.tables import evaluation, incident, relay, report
from infra.tables_corroboration import fallen
from protocol.grades import Grade
from protocol.parties import SourceGroup
from protocol.report import Affected, Evaluation
from tests.intake.corroborating import (
    corroborator,
    digits,
    finish,
    history,
    said,
    settle,
    withdrawal,
)
from tests.intake.desk import until
from tests.intake.formats.samples import misp_event
from tests.intake.samples import (
    indicator,
    major,
)

WARNING = (
    "A worm encrypts the files of hospitals in several states and spreads through a flaw of the file"
    " sharing service. Disconnect what cannot be mended, and keep images of memory for us."
)


@pytest.mark.requirement("R11", "R12")
def test_of_two_sources_with_one_text_neither_bears_the_other_out(any_database: Database) -> None:
    settle(
        any_database,
        said("a", "hash-1", title="Worm in hospitals", description=WARNING),
        said("b", "hash-1", title="WORM in hospitals!", description=f"> {WARNING}"),
    )
    finish(any_database)
    assert digits(any_database) == {"a": "X4", "b": "X4"}
    assert history(any_database, "a") == [("intake", "X4", None)]


@pytest.mark.requirement("R11", "R12")
def test_two_independent_ones_get_digit_3_with_the_ids(any_database: Database) -> None:
    settle(any_database, said("a", "hash-1"), said("b", "hash-1"))
    finish(any_database)
    assert digits(any_database) == {"a": "X3", "b": "X3"}
    assert history(any_database, "a") == [
        ("intake", "X4", None),
        ("corroboration", "X3", ["b"]),
    ]
    with any_database.read() as connection:
        ids = connection.scalars(select(report.c.id).order_by(report.c.seq)).all()
        assert audit.verify(connection).verified
        rows = [row for row in audit.export(connection) if row["event"] == "grades_corroborated"]
        reasons = connection.scalars(
            select(evaluation.c.reason).where(evaluation.c.kind == "corroboration")
        ).all()
    assert [row["detail"] for row in rows] == [{"raised": ids, "fallen": []}]
    assert ids[1] in reasons[0]


@pytest.mark.requirement("R12")
def test_a_misp_event_passed_on_by_another_organisation_bears_nothing_out(
    any_database: Database,
) -> None:
    first = {"Orgc": {"name": "CSIRT One"}, "Org": {"name": "CSIRT One"}}
    passed_on = {"Orgc": {"name": "CSIRT One"}, "Org": {"name": "CERT Two"}}
    own = {"Orgc": {"name": "CERT Three"}, "Org": {"name": "CERT Three"}}
    attributes = [{"type": "sha256", "value": indicator("hash-1").value}]
    events = [
        misp_event(Attribute=attributes, Tag=[], **first),
        misp_event(
            Attribute=attributes, Tag=[], uuid="00000000-0000-4000-8000-000000000002", **passed_on
        ),
    ]
    bodies = [json.dumps(event).encode() for event in events]
    settle(any_database, bodies[0], group=SourceGroup.CSIRT)
    settle(any_database, bodies[1], group=SourceGroup.PRIVATE_SECTOR)
    finish(any_database)
    assert set(digits(any_database).values()) == {"X4"}

    third = misp_event(
        Attribute=attributes,
        Tag=[],
        uuid="00000000-0000-4000-8000-000000000003",
        info="Ransom note in radiology",
        **own,
    )
    settle(any_database, json.dumps(third).encode(), group=SourceGroup.PRIVATE_SECTOR)
    finish(any_database)
    assert set(digits(any_database).values()) == {"X3"}
    assert history(any_database, events[0]["Event"]["uuid"])[-1][2] == [third["Event"]["uuid"]]


def test_a_named_victim_links_reports_of_different_incidents(database: Database) -> None:
    victim = (Affected(kind="organisation", value="City Hospital"),)
    settle(database, said("a", affected=victim), said("b", affected=victim))
    finish(database)
    assert digits(database) == {"a": "X3", "b": "X3"}


def test_two_reporters_of_one_principal_are_one_origin(database: Database) -> None:
    settle(database, said("a", "hash-1"), said("b", "hash-1"), principals=["User:hub", "User:hub"])
    finish(database)
    assert digits(database) == {"a": "X4", "b": "X4"}


@pytest.mark.requirement("R12")
def test_the_grade_of_a_provider_and_of_a_person_stay_as_they_are(database: Database) -> None:
    graded = Evaluation(scheme="europol4x4", original="B4", grade=Grade.parse("B4"))
    settle(
        database,
        said("provider", "hash-1", evaluation=graded),
        said("person", "hash-1"),
        said("hand", "hash-1", first_hand=True),
        said("last", "hash-1"),
    )
    with database.write() as connection:
        judged = connection.scalar(select(report.c.id).where(report.c.source_id == "person"))
        row = {"kind": "centre", "scheme": "europol4x4", "original": "C4", "by": "ana"}
        connection.execute(
            evaluation.insert().values(
                **row,
                report_id=judged,
                source_grade="C",
                information_grade="4",
                at=func.now(),
                reason="known to be wrong",
            )
        )
        connection.execute(update(report).where(report.c.id == judged).values(source_grade="C"))
    finish(database)
    assert digits(database) == {"provider": "B4", "person": "C4", "hand": "X2", "last": "X3"}
    assert history(database, "last")[-1][2] == ["hand", "person", "provider"]


def test_when_the_only_other_is_withdrawn_the_digit_falls_and_it_is_recorded(
    any_database: Database,
) -> None:
    settle(any_database, said("a", "hash-1"), said("b", "hash-1"))
    finish(any_database)
    settle(any_database, withdrawal("b", "Reporter b"))
    finish(any_database)
    assert digits(any_database)["a"] == "X4"
    assert [grade for _, grade, _ in history(any_database, "a")] == ["X4", "X3", "X4"]
    with any_database.read() as connection:
        assert not connection.scalar(select(func.count()).select_from(fallen))


def test_when_one_of_several_is_withdrawn_the_others_are_named(database: Database) -> None:
    settle(database, said("a", "hash-1"), said("b", "hash-1"), said("c", "hash-1"))
    finish(database)
    settle(database, withdrawal("b", "Reporter b"))
    finish(database)
    assert digits(database)["a"] == "X3"
    assert history(database, "a")[-1] == ("corroboration", "X3", ["c"])


def test_the_workflow_of_a_detection_hears_that_grades_changed(database: Database) -> None:
    settle(database, major("a", "hash-1"), said("b", "hash-1"), said("c"), said("d"))
    with database.write() as connection:
        connection.execute(delete(relay))
        detected = connection.scalar(select(incident.c.id).where(incident.c.status == "detected"))
    finish(database)
    finish(database)
    with database.read() as connection:
        assert connection.scalars(select(relay.c.target)).all() == [detected]


def test_two_passes_at_once_write_each_grade_once(database: Database) -> None:
    settle(database, *(said(f"r{n}", "hash-1") for n in range(12)))
    one, other = corroborator(database, chunk=3), corroborator(database, chunk=3)

    async def both() -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(one.run(stop))
            group.create_task(other.run(stop))
            await until(lambda: set(digits(database).values()) == {"X3"})
            stop.set()

    asyncio.run(both())
    finish(database)
    assert all(len(history(database, f"r{n}")) == 2 for n in range(12))
