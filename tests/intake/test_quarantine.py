"""The quarantine: what could not be accepted is kept, shown safely, and can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from infra import audit
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.tables import quarantine, relay, report
from intake.preparing import Ready
from intake.quarantine import discard, replay, show
from intake.quarantine_listing import Filter, list_quarantine, open_ids
from protocol.errors import NotFound, Refused
from protocol.report import ReportContent
from tests.intake.samples import LIMITS, clusters, content, major, read_all, record, store_of

STRICT = IntakeSettings(max_record_bytes=100)
"""Limits of former days: no report of ours is so short."""


def keep(database: Database, *bodies: bytes | ReportContent) -> None:
    """Put these into quarantine."""
    store_of(database).settle(read_all(bodies, limits=STRICT), source="test")


def again(database: Database, *ids: int, limits: IntakeSettings = LIMITS) -> dict[int, str]:
    with database.read() as connection:
        wanted = ids or open_ids(connection, Filter())
    return replay(database, store_of(database), limits, wanted, by="ana")


def listed(database: Database, status: str | None = "open") -> list[tuple[int, str, str]]:
    with database.read() as connection:
        rows = list_quarantine(connection, Filter(status=status), limit=100)
    return [(row["id"], row["reason"], row["status"]) for row in rows]


def preview(database: Database, quarantine_id: int = 1) -> str:
    with database.read() as connection:
        return str(show(connection, quarantine_id)["preview"])


def replays(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [
            (row["actor"], row["subject"], row["detail"]["outcome"])
            for row in audit.export(connection)
            if row["event"] == "quarantine_replayed"
        ]


def test_records_are_listed_oldest_first_with_reason_and_message(database: Database) -> None:
    keep(database, b"{no json", b"[]", content("a"))
    assert listed(database) == [
        (1, "not-json", "open"),
        (2, "unknown-format", "open"),
        (3, "too-large", "open"),
    ]
    with database.read() as connection:
        first = list_quarantine(connection, Filter(), limit=10)[0]
    assert "body" not in first
    assert first["message"] == "the record is not JSON: it goes wrong at character 1"
    assert (first["group"], first["partition"], first["offset"], first["size"]) == (
        "csirt",
        0,
        0,
        8,
    )


def test_a_record_is_shown_with_the_beginning_of_its_body_only(database: Database) -> None:
    keep(database, b"x" * 5_000)
    assert preview(database) == "x" * 2_000


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"\x1b[2J\x07\x7f\x00", r"\u001b[2J\u0007\u007f\u0000"),
        ("\u202e\u2066Täst".encode(), r"\u202e\u2066T\u00e4st"),
        (b"\xff\xfe half", r"\\xff\\xfe half"),
        (b"[bold red]\r\nBcc: x@y.invalid", r"[bold red]\r\nBcc: x@y.invalid"),
    ],
)
def test_what_would_drive_a_terminal_is_shown_as_an_escape(
    database: Database, body: bytes, shown: str
) -> None:
    keep(database, body)
    assert preview(database) == shown


@given(body=st.binary(min_size=1, max_size=50))
def test_whatever_was_sent_is_shown_in_printable_ascii(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('any') / 'leerp.db'}")
    database.migrate()
    keep(database, body)
    assert preview(database).isascii()
    assert preview(database).isprintable()
    database.close()


@pytest.mark.parametrize("unknown", [0, 2, -1])
def test_an_unknown_record_is_named(database: Database, unknown: int) -> None:
    keep(database, b"{no json")
    with database.read() as connection, pytest.raises(NotFound, match=f"no record {unknown} "):
        show(connection, unknown)
    with pytest.raises(NotFound, match=f"no open record {unknown} "):
        again(database, 1, unknown)
    assert replays(database) == []  # not even of the known one


def test_a_record_that_is_understood_today_is_stored_like_any_other(database: Database) -> None:
    keep(database, major("b", "hash-1"))
    store_of(database).settle(read_all([content("a", "hash-1")], first=1), source="test")
    assert again(database, 1) == {1: "stored"}
    assert listed(database, None) == [(1, "too-large", "replayed")]
    assert clusters(database) == {frozenset({"a", "b"})}
    assert replays(database) == [("ana", "1", "stored")]
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(relay)) == 1


def test_a_record_that_is_still_refused_stays_with_the_reason_of_today(database: Database) -> None:
    keep(database, b" " * 101, content("a"))
    assert again(database, limits=IntakeSettings(max_depth=1)) == {1: "empty", 2: "too-deep"}
    assert listed(database) == [(1, "empty", "open"), (2, "too-deep", "open")]
    with database.read() as connection:
        assert "nested deeper" in list_quarantine(connection, Filter(), limit=10)[1]["message"]
        assert connection.scalar(select(func.count()).select_from(report)) == 0
    assert [outcome for _, _, outcome in replays(database)] == ["empty", "too-deep"]


def test_a_record_whose_body_never_came_keeps_the_reason_that_it_has(database: Database) -> None:
    unread = Ready("0" * 64, "", [], "bad-header", "its body is in Kafka only")
    store_of(database).settle([(record(b""), unread)], source="test")
    assert again(database) == {1: "bad-header"}
    assert listed(database) == [(1, "bad-header", "open")]
    with database.read() as connection:
        assert (
            list_quarantine(connection, Filter(), limit=10)[0]["message"]
            == "its body is in Kafka only"
        )


def test_all_open_records_can_be_read_again(database: Database) -> None:
    keep(database, content("a"), b"{no json", content("b"))
    assert again(database) == {1: "stored", 2: "not-json", 3: "stored"}
    assert again(database) == {2: "not-json"}


def test_a_replayed_record_is_not_replayed_again(database: Database) -> None:
    keep(database, content("a"))
    again(database, 1)
    with pytest.raises(NotFound, match="no open record 1 "):
        again(database, 1)
    assert len(replays(database)) == 1


def test_a_replay_of_what_came_again_meanwhile_is_a_duplicate(database: Database) -> None:
    keep(database, content("a"))
    store_of(database).settle(read_all([content("a")], first=1), source="test")
    assert again(database, 1) == {1: "duplicate"}
    with database.read() as connection:
        assert connection.scalar(select(report.c.duplicates)) == 1


def test_record_and_mark_are_written_together_or_not_at_all(database: Database) -> None:
    keep(database, content("a"))
    with database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE ON quarantine BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(Exception, match="full"):
        again(database, 1)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(report)) == 0
        assert connection.scalar(select(quarantine.c.status)) == "open"
    assert replays(database) == []


def test_a_discarded_record_keeps_its_body_and_is_not_read_again(database: Database) -> None:
    keep(database, b"{no json", content("a"), b"{nor this")
    with database.write() as connection:
        discard(connection, [1, 3], reason="a broken script", by="ana")
    assert listed(database, None) == [
        (1, "not-json", "discarded"),
        (2, "too-large", "open"),
        (3, "not-json", "discarded"),
    ]
    assert preview(database) == "{no json"
    assert again(database) == {2: "stored"}
    with pytest.raises(NotFound, match="no open record 1 "):
        again(database, 1)
    with database.read() as connection:
        rows = [r for r in audit.export(connection) if r["event"] == "quarantine_discarded"]
    assert [(r["actor"], r["subject"], r["detail"]["reason"]) for r in rows] == [
        ("ana", "1", "a broken script"),
        ("ana", "3", "a broken script"),
    ]


def test_nothing_is_discarded_when_one_is_unknown_or_no_reason_is_given(database: Database) -> None:
    keep(database, b"{no json")
    with database.write() as connection, pytest.raises(NotFound, match="no open record 7 "):
        discard(connection, [1, 7], reason="x", by="ana")
    with database.write() as connection, pytest.raises(Refused, match="--reason"):
        discard(connection, [1], reason=" ", by="ana")
    assert listed(database) == [(1, "not-json", "open")]


def test_a_long_replay_tells_of_each_record_as_it_happens(database: Database) -> None:
    keep(database, content("a"), b"{no json")
    told: list[tuple[int, str]] = []
    replay(
        database,
        store_of(database),
        LIMITS,
        [1, 2],
        by="ana",
        told=lambda number, outcome: told.append((number, outcome)),
    )
    assert told == [(1, "stored"), (2, "not-json")]
