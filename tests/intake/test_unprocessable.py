"""One record over which we fail stops nothing: it is put aside, and the others are stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from infra import audit
from infra.database import Database
from infra.tables import consumer_offset, quarantine, report
from intake.formats import registry
from intake.quarantine import replay
from intake.records import Accepted, Rejected
from protocol.errors import ServiceDown
from protocol.report import ReportContent, TimeKind, TimeWindow
from tests.intake.samples import LIMITS, body_of, content, read_all, store_of

SECRET = "nobody may read this"


def overflowing(name: str) -> ReportContent:
    """A report as an adapter with a defect could make it: its window cannot be reckoned with."""
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))
    window = TimeWindow.model_construct(
        kind=TimeKind.OBSERVED, earliest=early, latest=early, tz_known=True
    )
    return content(name, "hash-1").model_copy(update={"times": (window,), "title": SECRET})


def batch(*contents: ReportContent) -> list[Accepted | Rejected]:
    """What an adapter made of records, without the border's checks."""
    plain = read_all([content(each.source_id) for each in contents])
    made: list[Accepted | Rejected] = []
    for outcome, each in zip(plain, contents, strict=True):
        assert isinstance(outcome, Accepted)
        (one,) = outcome.reports
        changed = one.model_copy(update=dict(each))
        made.append(Accepted(record=outcome.record, reports=(changed,)))
    return made


def stored(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(report.c.source_id)))


def put_aside(database: Database) -> list[tuple[int, str]]:
    with database.read() as connection:
        rows = connection.execute(select(quarantine.c.offset, quarantine.c.reason))
        return [(row.offset, row.reason) for row in rows]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_record_over_which_settling_fails_is_put_aside_and_the_others_are_stored(
    database: Database, place: int
) -> None:
    names = ["a", "b", "c"]
    contents = [content(name, "hash-1") for name in names]
    contents[place] = overflowing(names[place])
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
    assert "OverflowError" in message
    defects = [entry for entry in logs if entry["log_level"] == "error"]
    assert {entry["event"] for entry in defects} == {"batch_unprocessable", "record_unprocessable"}
    assert all(entry["error"] == "OverflowError" for entry in defects)
    assert SECRET not in json.dumps([message, *map(str, logs)])


@pytest.mark.parametrize(
    "outage", [OSError("disk"), ServiceDown("gone"), OperationalError("x", None, Exception())]
)
def test_an_outage_is_no_records_fault(database: Database, outage: Exception) -> None:
    store = store_of(database)

    def fail(_: object) -> bool:
        raise outage

    store._telling = fail  # the outage comes from within
    with pytest.raises(type(outage)):
        store.settle(batch(content("a", "hash-1")), source="test")
    assert (stored(database), put_aside(database)) == ([], [])


class Broken:
    """An adapter with a defect."""

    def recognises(self, document: Any) -> bool:
        return isinstance(document, dict) and document.get("source_id") == "bad"

    def read(self, document: Any, *_: object) -> Sequence[ReportContent]:
        raise LookupError(f"{SECRET}: {document}")


def test_a_defect_of_an_adapter_rejects_the_record_that_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(registry.FORMATS, "leerp-report/1", Broken())
    with capture_logs() as logs:
        (outcome,) = read_all([body_of(content("bad"))])
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unprocessable"
    assert "LookupError" in outcome.message
    assert [entry["event"] for entry in logs] == ["record_unprocessable"]
    assert SECRET not in str(outcome.message) + str(logs)


def test_a_replay_over_which_we_fail_keeps_that_record_and_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = LIMITS.model_copy(update={"max_record_bytes": 100})
    bodies = [content("a", "hash-1"), content("b")]
    store_of(database).settle(read_all(bodies, limits=strict), source="test")
    store = store_of(database)

    def fail(_: object) -> bool:
        raise LookupError(SECRET)

    monkeypatch.setattr(store, "_telling", fail)
    assert replay(database, store, LIMITS, [1, 2], by="ana") == {1: "unprocessable", 2: "stored"}
    assert put_aside(database) == [(0, "unprocessable"), (1, "too-large")]
