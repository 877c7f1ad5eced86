"""SQLite as we open it, and the same on a real PostgreSQL."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from infra import audit
from infra.database import Database
from infra.originals import BODIES, documents_of
from infra.tables import consumer_offset, metadata, officer, quarantine, relay, report
from intake.links import explain
from intake.quarantine import discard, replay, show
from intake.quarantine_listing import Filter, list_quarantine, statistics
from intake.source_import import import_sources
from intake.source_outcomes import Outcome, Outcomes, outcomes, record_outcome
from intake.source_registry import retire
from intake.source_traffic import traffic
from intake.sources import load_sources
from protocol.grades import SourceReliability
from protocol.parties import SourceGroup
from protocol.report import Indicator, IndicatorType
from tests.infra.processes import python
from tests.intake.registry import (
    ANALYST,
    MANAGER,
    grades,
    registered,
    sent,
    settle,
    source,
    staff,
)
from tests.intake.samples import (
    LIMITS,
    START,
    clusters,
    content,
    major,
    read,
    record,
    store_of,
)

MIGRATE = "import sys; from infra.database import Database; Database(sys.argv[1]).migrate()"
TOGETHER = 4


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(relay)) or 0


def add(connection: Connection, target: str = "x") -> None:
    connection.execute(insert(relay).values(kind="incident", target=target, done=False))


def test_sqlite_writes_ahead_and_waits_for_the_disk(database: Database) -> None:
    for opened in (database.read(), database.write()):
        with opened as connection:
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert found == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "busy_timeout": 60_000,
        }


def test_migrating_makes_every_table_and_again_changes_nothing(any_database: Database) -> None:
    with any_database.write() as connection:
        audit.append(connection, "stage_entered", actor="ana", subject="x")
    any_database.migrate()
    with any_database.read() as connection:
        assert set(metadata.tables) <= set(inspect(connection).get_table_names())
        assert audit.verify(connection) == audit.Verification(rows=1)


def test_processes_that_migrate_at_the_same_time_wait_for_each_other(url: str) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(python("-c", MIGRATE, url)) for _ in range(TOGETHER)]
        said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * TOGETHER, said
    made = Database(url)
    with made.read() as connection:
        assert audit.verify(connection).verified
    made.close()


def test_write_transactions_follow_each_other(any_database: Database) -> None:
    """Each reads what the one before wrote, so that no audit row is lost or doubled."""

    def work() -> None:
        for _ in range(10):
            with any_database.write() as connection:
                audit.append(connection, "stage_entered", actor="ana", subject="x")

    threads = [threading.Thread(target=work) for _ in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with any_database.read() as connection:
        assert audit.verify(connection) == audit.Verification(rows=10 * TOGETHER)


def test_serialised_transactions_are_alone_from_the_lock_to_the_commit(
    any_database: Database,
) -> None:
    seen: list[int] = []

    def second() -> None:
        with any_database.write() as connection:
            any_database.serialise(connection, 7)
            seen.append(count(connection))

    other = threading.Thread(target=second)
    with any_database.write() as connection:
        any_database.serialise(connection, 7)
        other.start()
        other.join(0.3)  # it cannot end before we do, however long we wait
        assert not seen
        add(connection)
    other.join()
    assert seen == [1]


def test_a_failing_block_leaves_nothing(any_database: Database) -> None:
    def fail() -> None:
        with any_database.write() as connection:
            add(connection)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    with any_database.read() as connection:
        assert count(connection) == 0


def test_a_reader_sees_one_state_while_others_write(any_database: Database) -> None:
    with any_database.read() as reader:
        before = count(reader)
        with any_database.write() as connection:
            add(connection)
        assert count(reader) == before
    with any_database.read() as reader:
        assert count(reader) == before + 1


def test_new_rows_are_told_from_known_ones(any_database: Database) -> None:
    row = {"topic": "t", "partition": 0, "next": 2**40}
    for _ in range(2):
        with any_database.write() as connection:
            connection.execute(any_database.insert_new(consumer_offset), [row])
    with any_database.read() as connection:
        assert [dict(r) for r in connection.execute(select(consumer_offset)).mappings()] == [row]


def test_an_error_repeats_none_of_the_values(any_database: Database) -> None:
    row = {
        "id": "ana",
        "name": "nobody may read this",
        "organisation": "a",
        "roles": [],
    }
    with pytest.raises(IntegrityError) as caught, any_database.write() as connection:
        connection.execute(insert(officer), [row, row])
    assert "nobody may read this" not in str(caught.value)


def test_a_database_that_is_not_there_is_an_error_and_no_empty_answer(tmp_path: Path) -> None:
    absent = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(DBAPIError):
        absent.migrate()
    absent.close()


def test_intake_settles_a_batch_on_any_database(any_database: Database) -> None:
    store = store_of(any_database)
    hostile = {"content-type": "\N{PILE OF POO}" * 150}
    path = "".join(map(chr, range(0x4E00, 0x4E00 + 1_900)))  # all different: it does not compress
    address = Indicator(type=IndicatorType.URL, value=f"https://x.invalid/{path}")
    long = content("long", indicators=(address,))
    batch = read(
        record(content("one", "hash-1"), offset=2**33),
        record(major("two", "hash-1"), offset=2**33 + 1),
        record(major("two", "hash-1"), offset=2**33 + 2),
        record(long, offset=2**33 + 3),
        record(b"{not json", offset=2**33 + 4, headers=hostile),
    )
    settled = store.settle(batch, source="test")
    assert (len(settled.stored), settled.duplicates, settled.quarantined) == (3, 1, 1)
    assert not store.settle(batch, source="test").stored
    assert clusters(any_database) == {frozenset({"one", "two"}), frozenset({"long"})}
    with any_database.read() as connection:
        assert audit.verify(connection).verified
        assert connection.scalar(select(consumer_offset.c.next)) == 2**33 + 5
        assert count(connection) == 1
        assert show(connection, 1)["preview"] == "{not json"
        two = report.c.source_id == "two"
        assert connection.scalar(select(report.c.duplicates).where(two)) == 1
        assert [each["source_id"] for each in documents_of(connection, two)] == ["two"]


def test_incidents_merge_and_records_are_replayed_on_any_database(any_database: Database) -> None:
    store = store_of(any_database)
    batch = [
        record(content("left", "hash-1"), offset=0),
        record(content("right", "hash-2"), offset=1),
        record(b"[]", offset=2),
    ]
    store.settle(read(*batch), source="test")
    store.settle(read(record(content("both", "hash-1", "hash-2"), offset=3)), source="test")
    assert clusters(any_database) == {frozenset({"left", "right", "both"})}
    assert replay(any_database, store, LIMITS, [1], by="ana") == {1: "unknown-format"}
    with any_database.read() as connection:
        ids = connection.scalars(select(report.c.id)).all()
        assert sorted(len(explain(connection, each)) for each in ids) == [1, 1, 2]
        listed = list_quarantine(connection, Filter(group="csirt"), limit=10)
        assert [row["reason"] for row in listed] == ["unknown-format"]
        (counted,) = statistics(connection, Filter(status=None))
        assert (counted["count"], counted["open"], counted["share"]) == (1, 1, 0.25)
        assert connection.scalar(select(func.count()).select_from(quarantine)) == 1
        assert len(list(BODIES.read(connection, range(1, 10)))) == 4
        assert audit.verify(connection).verified
    with any_database.write() as connection:
        discard(connection, [1], reason="a test", by="ana")
    with any_database.read() as connection:
        assert list_quarantine(connection, Filter(), limit=10) == []


def test_the_registry_of_sources_works_on_both(any_database: Database) -> None:
    staff(any_database)
    registered(any_database, source(), source("cert-fi"), letter=SourceReliability.B)
    import_sources(
        any_database,
        "id,name,group,organisation,also_groups\ncert-ee,New name,csirt,RIA,osint\n",
        suffix=".csv",
        by=MANAGER,
    )
    retire(any_database, "cert-fi", reason="gone", by=MANAGER)
    settled = settle(
        store_of(any_database),
        sent(content("a"), "cert-ee"),
        sent(b"{no report", "cert-ee", offset=1),
        sent(content("b"), "cert-fi"),
    )
    for report_id in settled.stored:
        record_outcome(any_database, report_id, Outcome.REFUTED, reason="a test", by=ANALYST)

    assert {name: grade for name, (grade, _, _) in grades(any_database).items()} == {
        "a": "B4",
        "b": "X4",
    }
    with any_database.read() as connection:
        (one,) = load_sources(connection)
        sums = traffic(connection, busiest_since=START)["cert-ee"]
        counted = outcomes(connection)
    assert (one.source.name, one.source.groups) == (
        "New name",
        (SourceGroup.CSIRT, SourceGroup.OSINT),
    )
    assert (sums.records, sums.refused, sums.last_hour) == (
        2,
        1,
        START.replace(minute=0, second=0),
    )
    assert counted == {
        "cert-ee": Outcomes(refuted=1, reports=1),
        "cert-fi": Outcomes(refuted=1, reports=1),
    }


def test_a_writer_gets_its_turn_beside_a_thread_that_never_rests(
    any_database: Database,
) -> None:
    """A second writer gets in between two transactions of one that never rests."""
    rest = threading.Event()

    def busy() -> None:
        while not rest.is_set():
            with any_database.write() as connection:
                add(connection, "busy")

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(20):
            with any_database.write() as connection:
                add(connection, "other")
    finally:
        rest.set()
        thread.join()
    with any_database.read() as connection:
        found = connection.scalar(
            select(func.count()).select_from(relay).where(relay.c.target == "other")
        )
    assert found == 20
