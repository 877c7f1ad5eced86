"""One record over which we fail stops nothing: it is put aside, and the others are stored."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from infra import audit
from infra.database import Database
from infra.tables import consumer_offset, quarantine, report
from intake.formats import registry
from intake.formats.own import Own
from intake.preparing import Preparer
from intake.quarantine import replay
from intake.records import Accepted
from intake.sheaf import Read
from protocol.errors import ServiceDown
from protocol.report import ReportContent
from tests.intake.samples import (
    LIMITS,
    body_of,
    content,
    profile,
    read_all,
    record,
    store_of,
    telling,
)

SECRET = "nobody may read this"


def timeless(name: str) -> ReportContent:
    """A report as an adapter with a defect could make it: it says nothing of when."""
    return content(name, "hash-1").model_copy(update={"times": (), "title": SECRET})


def batch(*contents: ReportContent) -> list[Read]:
    """What an adapter made of records, without the border's checks."""
    preparer = Preparer(profile(), telling, LIMITS)
    records = [record(content(each.source_id), offset=n) for n, each in enumerate(contents)]
    return [
        (
            raw,
            preparer.ready(Accepted(record=raw, format="leerp-report/1", contents=(each,)), raw),
        )
        for raw, each in zip(records, contents, strict=True)
    ]


def unwritable(name: str) -> Read:
    """A report that was prepared with a defect: no database takes its title."""
    ((raw, ready),) = batch(content(name))
    broken = msgspec.structs.replace(ready.reports[0], title="\ud800")
    return raw, msgspec.structs.replace(ready, reports=[broken])


def stored(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(report.c.source_id)))


def put_aside(database: Database) -> list[tuple[int, str]]:
    with database.read() as connection:
        rows = connection.execute(select(quarantine.c.offset, quarantine.c.reason))
        return [(row.offset, row.reason) for row in rows]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_record_over_which_preparing_fails_is_put_aside_and_the_others_are_stored(
    database: Database, place: int
) -> None:
    names = ["a", "b", "c"]
    contents = [content(name, "hash-1") for name in names]
    contents[place] = timeless(names[place])
    store_of(database).settle(batch(content("before", "hash-1")), source="test")
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM consumer_offset")

    with capture_logs() as logs:
        settled = store_of(database).settle(batch(*contents), source="test")

    others = [name for name in names if name != names[place]]
    assert stored(database) == sorted([*others, "before"])
    assert (len(settled.stored), dict(settled.reasons)) == (2, {"unprocessable": 1})
    assert put_aside(database) == [(place, "unprocessable")]
    with database.read() as connection:
        assert connection.scalar(select(consumer_offset.c.next)) == 3
        assert audit.verify(connection).verified
        message = connection.scalar(select(quarantine.c.message)) or ""
    assert "ValueError" in message
    defects = [entry for entry in logs if entry["log_level"] == "error"]
    assert {entry["event"] for entry in defects} == {"record_unprocessable"}
    assert all(entry["error"] == "ValueError" for entry in defects)
    assert SECRET not in json.dumps([message, *map(str, logs)])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_record_over_which_settling_fails_is_put_aside_and_the_others_are_stored(
    database: Database, place: int
) -> None:
    reads = batch(content("a"), content("b"), content("c"))
    reads[place] = (reads[place][0], unwritable("d")[1])
    settled = store_of(database).settle(reads, source="test")
    assert (len(settled.stored), dict(settled.reasons)) == (2, {"unprocessable": 1})
    assert put_aside(database) == [(place, "unprocessable")]
    with database.read() as connection:
        assert connection.scalar(select(consumer_offset.c.next)) == 3
        assert audit.verify(connection).verified


def test_an_outage_is_no_records_fault(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_head RENAME TO away")
    with pytest.raises(OperationalError):
        store_of(database).settle(batch(content("a", "hash-1")), source="test")
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO audit_head")
        connection.exec_driver_sql("DELETE FROM audit_head")
    with pytest.raises(ServiceDown):
        store_of(database).settle(batch(content("a", "hash-1")), source="test")
    assert (stored(database), put_aside(database)) == ([], [])


class Broken(Own):
    """An adapter with a defect that one report shows."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        if document["source_id"] == self._name:
            raise LookupError(f"{SECRET}: {document}")
        return super().read(document)


def test_a_defect_of_an_adapter_rejects_the_record_that_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(registry.FORMATS, "leerp-report/1", Broken("bad"))
    unusual = b" " + body_of(content("bad"))  # the usual ones have a shorter way
    with capture_logs() as logs:
        ((_, outcome),) = read_all([unusual])
    assert outcome.reason == "unprocessable"
    assert "LookupError" in outcome.message
    assert [entry["event"] for entry in logs] == ["record_unprocessable"]
    assert SECRET not in str(outcome.message) + str(logs)


def test_a_replay_over_which_we_fail_keeps_that_record_and_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = LIMITS.model_copy(update={"max_record_bytes": 100})
    bodies = [b" " + body_of(content("a", "hash-1")), body_of(content("b"))]
    store_of(database).settle(read_all(bodies, limits=strict), source="test")
    store = store_of(database)
    monkeypatch.setitem(registry.FORMATS, "leerp-report/1", Broken("a"))
    assert replay(database, store, LIMITS, [1, 2], by="ana") == {1: "unprocessable", 2: "stored"}
    assert put_aside(database) == [(0, "unprocessable"), (1, "too-large")]
