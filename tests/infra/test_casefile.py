"""The case file: versions, decisions and stages, each with its audit row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from infra import audit, casefile
from infra.database import Database
from infra.tables import incident, relay, stage_log
from infra.tables_decisions import decision
from protocol.errors import NotFound
from protocol.stages import Stage

pytestmark = pytest.mark.requirement("R1")

CASE = "inc-1"
NOON = datetime(2017, 5, 12, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction in which the incident is under triage."""
    with database.write() as opened:
        opened.execute(
            insert(incident).values(
                id=CASE, created_at=NOON, status="triage", exercise=True, profile="p/1"
            )
        )
        yield opened


def events(connection: Connection) -> list[str]:
    assert audit.verify(connection).verified
    return [str(row["event"]) for row in audit.export(connection)]


def draft(connection: Connection, kind: str = "plan-draft", **document: Any) -> casefile.Artefact:
    return casefile.add_artefact(connection, CASE, kind, document, by="ana", channel="cli")


def decide(connection: Connection, command_id: str, incident_id: str = CASE, **detail: Any) -> None:
    casefile.record_decision(
        connection,
        command_id=command_id,
        incident_id=incident_id,
        command="launch-approved",
        officer="ana",
        organisation="EC3",
        detail=detail,
    )


def stages(connection: Connection) -> list[tuple[str, datetime, datetime | None]]:
    rows = connection.execute(select(stage_log).order_by(stage_log.c.number))
    return [(row.stage, row.entered, row.left) for row in rows]


def test_versions_count_up_for_each_kind_and_the_newest_is_found(connection: Connection) -> None:
    assert [draft(connection, n=n).version for n in range(3)] == [1, 2, 3]
    assert draft(connection, "ewn", n=9).version == 1
    newest = casefile.get_artefact(connection, CASE, "plan-draft")
    assert (newest.version, newest.document, newest.by) == (3, {"n": 2}, "ana")
    assert casefile.get_artefact(connection, CASE, "plan-draft", 1).document == {"n": 0}
    kept = casefile.all_artefacts(connection, CASE, "plan-draft")
    assert [(each.version, each.document["n"]) for each in kept] == [(1, 0), (2, 1), (3, 2)]


def test_each_version_is_audited_with_its_digest(connection: Connection) -> None:
    made = draft(connection, n=1)
    (row,) = audit.export(connection)
    assert (row["event"], row["actor"], row["channel"]) == ("plan_draft_recorded", "ana", "cli")
    assert row["detail"] == {"version": 1, "digest": made.digest}


def test_what_is_stored_has_the_digest_of_what_was_given(connection: Connection) -> None:
    made = draft(connection, text="Tõnis", rows=[1, {"b": None}])
    assert casefile.get_artefact(connection, CASE, "plan-draft").digest == made.digest


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(document=st.dictionaries(st.text(), DOCUMENTS), other=DOCUMENTS)
def test_a_digest_depends_on_the_content_and_not_on_the_order_of_fields(
    document: dict[str, Any], other: Any
) -> None:
    backwards = dict(reversed(document.items()))
    assert casefile.digest_of(document) == casefile.digest_of(backwards)
    extended = {**document, "one more": other}
    assert (casefile.digest_of(extended) == casefile.digest_of(document)) == (
        document.get("one more", object()) == other
    )


def test_what_is_not_there_is_named(connection: Connection) -> None:
    assert casefile.find_artefact(connection, CASE, "plan") is None
    with pytest.raises(NotFound, match="incident inc-1 has no plan yet"):
        casefile.get_artefact(connection, CASE, "plan")
    draft(connection)
    with pytest.raises(NotFound, match="no plan-draft version 2"):
        casefile.get_artefact(connection, CASE, "plan-draft", 2)


def test_a_repeated_command_id_is_recorded_once(connection: Connection) -> None:
    decide(connection, "c-1", digest="first")
    decide(connection, "c-1", digest="second")
    decide(connection, "c-2", digest="third")
    rows = connection.execute(select(decision.c.command_id, decision.c.detail)).all()
    assert [tuple(row) for row in rows] == [
        ("c-1", {"digest": "first"}),
        ("c-2", {"digest": "third"}),
    ]
    assert events(connection) == ["decision_recorded", "decision_recorded"]


def test_the_same_command_id_in_two_incidents_is_two_decisions(connection: Connection) -> None:
    decide(connection, "c-1", digest="here")
    decide(connection, "c-1", incident_id="inc-2", digest="there")
    rows = connection.execute(select(decision.c.incident_id, decision.c.detail))
    assert {row.incident_id: row.detail["digest"] for row in rows} == {
        CASE: "here",
        "inc-2": "there",
    }


def test_a_decision_whose_details_bear_the_names_of_other_fields_is_recorded(
    connection: Connection,
) -> None:
    detail = {"command": "x", "actor": "y", "channel": "z", "event": "e", "subject": "s"}
    decide(connection, "c-1", **detail)
    (row,) = audit.export(connection)
    assert (row["actor"], row["subject"], row["detail"]["command"]) == (
        "ana",
        CASE,
        "launch-approved",
    )
    assert row["detail"]["detail"] == detail


def test_stages_follow_each_other_without_a_gap(connection: Connection) -> None:
    casefile.enter_stage(connection, CASE, 0, Stage.DETECTION, NOON)
    casefile.enter_stage(connection, CASE, 1, Stage.CLASSIFICATION, NOON + HOUR)
    assert stages(connection) == [
        ("detection", NOON, NOON + HOUR),
        ("classification", NOON + HOUR, None),
    ]
    assert connection.scalar(select(incident.c.stage)) == "classification"


def test_entering_a_stage_again_changes_nothing(connection: Connection) -> None:
    for _ in range(2):
        casefile.enter_stage(connection, CASE, 0, Stage.DETECTION, NOON)
        casefile.enter_stage(connection, CASE, 1, Stage.CLASSIFICATION, NOON + HOUR)
    casefile.enter_stage(connection, CASE, 0, Stage.DETECTION, NOON + 2 * HOUR)
    assert [left for _, _, left in stages(connection)] == [NOON + HOUR, None]
    assert events(connection) == ["stage_entered"] * 2


def test_a_stage_that_takes_too_long_is_marked(connection: Connection) -> None:
    casefile.enter_stage(connection, CASE, 0, Stage.DETECTION, NOON)
    casefile.mark_overdue(connection, CASE, 0, NOON + HOUR)
    assert connection.scalar(select(stage_log.c.overdue_at)) == NOON + HOUR
    assert events(connection) == ["stage_entered", "stage_overdue"]


def test_an_incident_ends_once_and_leaves_its_last_stage(connection: Connection) -> None:
    casefile.enter_stage(connection, CASE, 0, Stage.CLOSURE, NOON)
    casefile.end_incident(connection, CASE, NOON + HOUR, {"launched": True})
    casefile.end_incident(connection, CASE, NOON + 2 * HOUR, {"launched": False})
    assert stages(connection) == [("closure", NOON, NOON + HOUR)]
    assert connection.scalar(select(incident.c.status)) == "ended"
    assert events(connection) == ["stage_entered", "incident_ended"]
    told = connection.execute(select(relay.c.kind, relay.c.target)).all()
    assert [tuple(row) for row in told] == [("incident", CASE)]  # to look for late reports


@pytest.mark.requirement("R7")
def test_a_cluster_becomes_a_detection_with_its_reason(connection: Connection) -> None:
    casefile.mark_detected(connection, CASE, by="ana", channel="cli", reason="the press called")
    casefile.tell(connection, "incident", CASE)
    assert connection.scalar(select(incident.c.status)) == "detected"
    waiting = connection.execute(select(relay.c.kind, relay.c.target, relay.c.done)).all()
    assert [tuple(row) for row in waiting] == [("incident", CASE, False)]
    (row,) = audit.export(connection)
    assert (row["actor"], row["detail"]) == ("ana", {"reason": "the press called"})


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(connection: Connection) -> None:
    elsewhere = NOON.astimezone(timezone(3 * HOUR))
    casefile.enter_stage(connection, CASE, 0, Stage.DETECTION, elsewhere)
    ((_, entered, _),) = stages(connection)
    assert (entered, entered.utcoffset()) == (NOON, timedelta(0))
