"""Reports that come for an incident when it has just ended are taken up under triage again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from infra import audit, casefile
from infra.database import Database
from infra.tables import incident, relay, report
from intake.late import take_up_late
from intake.links import explain
from protocol.report import ReportContent
from protocol.stages import Stage
from tests.intake.samples import clusters, content, major, read_all, store_of


def settle(database: Database, *reports: ReportContent, first: int = 0) -> None:
    store_of(database).settle(read_all(reports, first=first), source="test")


def detected(database: Database) -> str:
    """An incident with one report, whose workflow has entered a stage."""
    settle(database, major("a", "hash-1"))
    with database.write() as connection:
        found = connection.scalar(select(incident.c.id)) or ""
        casefile.enter_stage(connection, found, 0, Stage.DETECTION, datetime.now(UTC))
    return found


def end(database: Database, incident_id: str, at: datetime) -> None:
    with database.write() as connection:
        casefile.end_incident(connection, incident_id, at, {})


def take_up(database: Database, incident_id: str, closed_at: datetime | None = None) -> set[str]:
    return take_up_late(database, store_of(database), incident_id, closed_at=closed_at)


def states(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {row.id: row.status for row in connection.execute(select(incident))}


def audited(database: Database) -> list[tuple[str, int]]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [
            (row["subject"], len(row["detail"]["reports"]))
            for row in audit.export(connection)
            if row["event"] == "reports_after_end"
        ]


@pytest.mark.parametrize("ended_by", ["case file", "workflow alone"])
def test_what_came_after_the_end_is_under_triage_again(database: Database, ended_by: str) -> None:
    ended = detected(database)
    at = datetime.now(UTC)
    settle(database, content("b", "hash-1"), content("c", "hash-1"), first=1)
    if ended_by == "case file":
        end(database, ended, at)
        (new,) = take_up(database, ended)
    else:  # it was terminated, and nobody has noted its end
        (new,) = take_up(database, ended, at)
    assert clusters(database) == {frozenset({"a"}), frozenset({"b", "c"})}
    assert states(database) == {ended: "ended", new: "triage"}
    assert audited(database) == [(ended, 2)]
    with database.read() as connection:
        for late in connection.scalars(select(report.c.id).where(report.c.incident_id == new)):
            *_, newest = explain(connection, late)
            assert newest["incident_id"] == new
            reason = newest["reason"]
            assert isinstance(reason, dict)
            assert reason["continues"] == ended


def test_reports_that_follow_join_those_that_were_taken_up(database: Database) -> None:
    ended = detected(database)
    at = datetime.now(UTC)
    settle(database, content("b", "hash-1"), first=1)
    end(database, ended, at)
    settle(database, content("c", "hash-1"), first=2)  # before the relay looks
    take_up(database, ended)
    settle(database, content("d", "hash-1"), first=3)
    assert clusters(database) == {frozenset({"a"}), frozenset({"b", "c", "d"})}


@pytest.mark.requirement("R7")
def test_what_was_taken_up_can_be_a_detection_of_its_own(database: Database) -> None:
    ended = detected(database)
    at = datetime.now(UTC)
    settle(database, major("b", "hash-1"), first=1)
    end(database, ended, at)
    (new,) = take_up(database, ended)
    assert states(database) == {ended: "ended", new: "detected"}
    with database.read() as connection:
        assert new in connection.scalars(select(relay.c.target)).all()


def test_a_repeat_and_an_end_without_late_reports_change_nothing(database: Database) -> None:
    ended = detected(database)
    at = datetime.now(UTC)
    end(database, ended, at)
    assert take_up(database, ended) == set()
    assert (states(database), audited(database)) == ({ended: "ended"}, [])


def test_reports_are_taken_up_once(database: Database) -> None:
    ended = detected(database)
    at = datetime.now(UTC)
    settle(database, content("b", "hash-1"), first=1)
    end(database, ended, at)
    assert len(take_up(database, ended)) == 1
    assert take_up(database, ended) == set()
    assert len(audited(database)) == 1


def test_a_report_that_opened_an_incident_of_its_own_before_is_not_sent_back_there(
    database: Database,
) -> None:
    ended = detected(database)
    settle(database, content("b", "hash-2"), first=1)
    before = set(states(database))
    at = datetime.now(UTC)
    settle(database, content("c", "hash-1", "hash-2"), first=2)  # b and its cluster are absorbed
    end(database, ended, at)
    (new,) = take_up(database, ended)
    assert new not in before
    assert states(database)[new] == "triage"
    assert clusters(database) == {frozenset({"a"}), frozenset({"b", "c"})}
