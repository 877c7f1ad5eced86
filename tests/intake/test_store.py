"""One transaction for a batch: everything that belongs to it, or nothing."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select
from sqlalchemy.exc import DBAPIError, OperationalError

from infra import audit
from infra.database import Database
from infra.originals import BODIES
from infra.tables import (
    consumer_offset,
    incident,
    link_key,
    quarantine,
    relay,
    report,
)
from infra.tables_blocks import body_block, report_block
from intake.facts import grade_history
from intake.settled import Settled
from intake.sheaf import Read
from protocol.grades import Grade
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import Affected, Evaluation, Impact
from tests.intake.samples import clusters, content, major, read, read_all, record, store_of

WRITTEN: dict[str, Table] = {
    table.name: table
    for table in (
        body_block, report_block, report, link_key, incident, relay, quarantine, consumer_offset,
    )
}  # fmt: skip

FEW = 30
"""Objects; whoever runs the tests may leave some behind meanwhile, a batch leaves more than a hundred."""


def settle(database: Database, batch: Sequence[Read]) -> Settled:
    return store_of(database).settle(batch, source="test")


def counts(database: Database) -> dict[str, int]:
    with database.read() as connection:
        found = {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in WRITTEN.items()
        }
        return found | {"audit": audit.verify(connection).rows}


def batch_of_each() -> list[Read]:
    return read_all([major("a", "hash-1", "ip-1"), b"{no report"])


def test_what_a_batch_made_is_gone_with_it_and_waits_for_no_collector(database: Database) -> None:
    store, again = store_of(database), read_all([content("b", "hash-2")], first=2)
    store.settle(batch_of_each(), source="test")
    gc.collect()
    gc.disable()
    try:
        store.settle(again, source="test")
        assert gc.collect() < FEW
    finally:
        gc.enable()


def test_a_batch_is_stored_with_everything_that_belongs_to_it(database: Database) -> None:
    settled = settle(database, batch_of_each())
    assert counts(database) == {
        "body_block": 2,
        "report_block": 1,
        "report": 1,
        "link_key": 1,
        "incident": 1,
        "relay": 1,
        "quarantine": 1,
        "consumer_offset": 1,
        "audit": 2,
    }
    with database.read() as connection:
        detected, batch = audit.export(connection)
    assert detected["event"] == "incident_detected"
    assert (batch["event"], batch["actor"], batch["channel"]) == ("batch_settled", "test", "kafka")
    assert batch["detail"] == {
        "stored": settled.stored,
        "duplicates": 0,
        "quarantined": {"not-json": 1},
        "offsets": {"leerp.intake.csirt.v1/0": "0-1"},
    }


@pytest.mark.parametrize("table", [*WRITTEN, "audit_row"])
def test_when_one_part_cannot_be_written_nothing_is(database: Database, table: str) -> None:
    """The database itself refuses the last thing that it is given, whichever that is."""
    with database.write() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER fails BEFORE INSERT ON {table} BEGIN SELECT * FROM gone; END"  # noqa: S608
        )
    with pytest.raises(OperationalError, match="gone"):
        settle(database, batch_of_each())
    assert set(counts(database).values()) == {0}

    with database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER fails")
    assert len(settle(database, batch_of_each()).stored) == 1
    assert set(counts(database).values()) <= {1, 2}


def test_a_database_that_is_gone_fails_the_batch_and_it_can_be_settled_later(
    database: Database,
) -> None:
    path = str(database.engine.url.database)
    absent = Database(f"sqlite:///{path}.elsewhere")  # no schema there
    with pytest.raises(DBAPIError):
        settle(absent, batch_of_each())
    absent.close()
    assert len(settle(database, batch_of_each()).stored) == 1


def test_nothing_is_written_for_an_empty_batch(database: Database) -> None:
    assert settle(database, []) == Settled()
    assert set(counts(database).values()) == {0}


# Repetitions


def test_the_same_content_from_the_same_group_is_one_report_and_counted(
    database: Database,
) -> None:
    first = settle(database, read_all([content("a"), content("a"), content("b")]))
    assert (len(first.stored), first.duplicates) == (2, 1)
    second = settle(database, read_all([content("a"), content("a")], first=3))
    assert (second.stored, second.duplicates) == ([], 2)
    with database.read() as connection:
        rows = connection.execute(select(report.c.source_id, report.c.duplicates)).all()
    assert {tuple(row) for row in rows} == {("a", 3), ("b", 0)}


@pytest.mark.requirement("R4")
def test_the_same_content_from_two_groups_is_two_reports(database: Database) -> None:
    groups = (SourceGroup.CSIRT, SourceGroup.PRIVATE_SECTOR)
    settled = settle(database, read(*(record(content("a"), group=each) for each in groups)))
    assert (len(settled.stored), settled.duplicates) == (2, 0)
    with database.read() as connection:
        rows = connection.execute(select(report.c.group, report.c.id)).all()
    assert {group: number[0] for group, number in rows} == {"csirt": "3", "private-sector": "5"}


def test_an_identical_body_is_kept_once(database: Database) -> None:
    settle(database, read_all([b"{}", b"{}", b"{}"]))
    with database.read() as connection:
        bodies = list(BODIES.read(connection, range(1, 10)))
    assert counts(database)["quarantine"] == 3
    assert [body.content for _, body in bodies] == [b"{}"]


@settings(max_examples=40)
@given(steps=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), max_size=6))
def test_what_kafka_delivers_again_after_a_crash_is_passed_over(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]
) -> None:
    """The process may die between our commit and Kafka's, so any position may be read again."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('again') / 'leerp.db'}")
    database.migrate()
    log = read_all([content("a"), b"bad", content("b"), content("a"), b"worse", content("c")])
    position = 0
    for back, on in [*steps, (0, len(log))]:
        settle(database, log[max(0, position - back) : position + on])
        position = min(position + on, len(log))
    found = counts(database)
    assert (found["report"], found["quarantine"]) == (3, 2)
    with database.read() as connection:
        assert connection.scalar(select(func.sum(report.c.duplicates))) == 1
        assert connection.scalar(select(consumer_offset.c.next)) == len(log)
    database.close()


def test_a_batch_that_was_settled_leaves_no_second_audit_row(database: Database) -> None:
    settle(database, batch_of_each())
    before = counts(database)
    assert settle(database, batch_of_each()) == Settled()
    assert counts(database) == before


def test_every_partition_has_its_own_position(database: Database) -> None:
    batch = read(
        record(content("a"), offset=7, partition=1),
        record(content("b"), offset=3, partition=2),
        record(content("c"), offset=0, partition=1, group=SourceGroup.OTHER),
    )
    settle(database, batch)
    with database.read() as connection:
        rows = connection.execute(select(consumer_offset)).all()
    assert {tuple(row) for row in rows} == {
        ("leerp.intake.csirt.v1", 1, 8),
        ("leerp.intake.csirt.v1", 2, 4),
        ("leerp.intake.other.v1", 1, 1),
    }
    assert len(settle(database, read(record(content("d"), offset=5, partition=2))).stored) == 1


# Grades


def grade_of(database: Database) -> tuple[str, str, str]:
    with database.read() as connection:
        in_force = connection.execute(select(report)).one()
        (given,) = grade_history(connection, in_force.id)
    assert given["grade"] == in_force.source_grade + in_force.information_grade
    return given["kind"], given["grade"], given["reason"]


B1 = Evaluation(scheme="admiralty", original="B2", grade=Grade.parse("B1"))


@pytest.mark.requirement("R11")
@pytest.mark.parametrize(("first_hand", "grade"), [(True, "X2"), (False, "X4"), (None, "X4")])
def test_without_an_assessment_the_source_is_x_and_the_digit_says_who_saw_it(
    database: Database, first_hand: bool | None, grade: str
) -> None:
    settle(database, read_all([content("a", first_hand=first_hand)]))
    kind, given, reason = grade_of(database)
    assert (kind, given) == ("intake", grade)
    assert "no assessment given" in reason


@pytest.mark.requirement("R11")
def test_the_providers_grade_counts_as_it_was_given(database: Database) -> None:
    settle(database, read_all([content("a", evaluation=B1, first_hand=True)]))
    assert grade_of(database)[:2] == ("provider", "B1")
    with database.read() as connection:
        (given,) = grade_history(connection, connection.scalar(select(report.c.id)) or "")
    assert (given["scheme"], given["original"]) == ("admiralty", "B2")
    assert (given["by"], given["in_force"]) == ("CSIRT of nowhere", True)


@pytest.mark.requirement("R11")
def test_open_sources_are_graded_by_the_centre_only(database: Database) -> None:
    found = content("a", evaluation=B1, detected_by=DetectedBy.PRIMARY)
    settle(database, read(record(found, group=SourceGroup.OSINT)))
    assert grade_of(database)[:2] == ("intake", "X4")


# Detection


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(incident.c.status)))


def told(database: Database) -> int:
    return counts(database)["relay"]


@pytest.mark.requirement("R7")
def test_a_cluster_that_may_be_major_is_a_detection_and_its_workflow_is_told(
    database: Database,
) -> None:
    settle(database, read_all([content("a"), major("b")]))
    assert states(database) == ["detected", "triage"]
    with database.read() as connection:
        detected = connection.scalar(select(incident.c.id).where(incident.c.status == "detected"))
        waiting = connection.execute(select(relay.c.kind, relay.c.target, relay.c.done)).all()
        reason = next(iter(audit.export(connection)))["detail"]["reason"]
    assert [tuple(row) for row in waiting] == [("incident", detected, False)]
    assert "2 state(s)" in reason


@pytest.mark.requirement("R7")
def test_reports_that_are_harmless_alone_are_a_detection_together(database: Database) -> None:
    grave = Impact(criteria=("essential-service-disrupted",))
    first, second = (
        content(name, "hash-1", affected=(Affected(kind="country", value=name),), impact=grave)
        for name in ("EE", "FI")
    )
    settle(database, read_all([first]))
    assert (states(database), told(database)) == (["triage"], 0)
    settle(database, read_all([second], first=1))
    assert (states(database), told(database)) == (["detected"], 1)


@pytest.mark.requirement("R7")
def test_the_rest_stays_under_triage_and_no_workflow_hears_of_it(database: Database) -> None:
    settle(database, read_all([content(name, "hash-1") for name in ("a", "b", "c")]))
    assert (states(database), told(database)) == (["triage"], 0)


def test_a_detection_is_told_once_a_batch_however_many_reports_it_gets(database: Database) -> None:
    settle(database, read_all([major("a", "hash-1")]))
    more = [content(f"r{n}", "hash-1") for n in range(50)]
    settle(database, read_all(more, first=1))
    assert told(database) == 2
    settle(database, read_all([content("r1", "hash-1")], first=51))  # a duplicate changes nothing
    assert told(database) == 2
    assert clusters(database) == {frozenset({"a", *(f"r{n}" for n in range(50))})}


def test_more_reports_than_one_query_takes_are_stored_together(database: Database) -> None:
    many = [content(f"r{n}", "hash-1") for n in range(1_100)]
    assert len(settle(database, read_all(many)).stored) == 1_100
    again = settle(database, read_all(many, first=1_100))
    assert (again.stored, again.duplicates) == ([], 1_100)
