"""Choosing and counting what lies in quarantine; a hint for every reason that intake knows."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from infra.database import Database
from intake.formats.own import _REASONS as REASONS_OF_OWN
from intake.quarantine_hints import HINTS
from intake.quarantine_listing import Filter, list_quarantine, open_ids, statistics
from intake.reading import TOO_COSTLY
from intake.records import UNPROCESSABLE
from protocol.parties import SourceGroup
from tests.intake.samples import START, content, read, record, store_of

ROOT = Path(__file__).resolve().parents[2]
BROKEN, EMPTY = b"{no json", b" "
CSIRT = SourceGroup.CSIRT


@pytest.fixture
def mixed(database: Database) -> Database:
    """Two topics: a day of the first group's troubles among good reports, and one of another."""
    records = [
        record(BROKEN, offset=0),
        record(content("good"), offset=1),
        record(EMPTY, offset=2),
        record(BROKEN, offset=3),
        record(BROKEN, offset=0, group=SourceGroup.OTHER),
    ]
    later = [
        replace(each, received_at=START + timedelta(hours=number))
        for number, each in enumerate(records)
    ]
    own = replace(records[0], topic="leerp.intake.csirt.v1.cert-ee", received_at=START)
    store_of(database).settle(read(*later, own), source="test")
    return database


def ids(database: Database, wanted: Filter, *, limit: int = 10, after: int = 0) -> list[int]:
    with database.read() as connection:
        rows = list_quarantine(connection, wanted, limit=limit, after=after)
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), [1, 2, 3, 4, 5]),
        (Filter(reason="not-json"), [1, 3, 4, 5]),
        (Filter(reason="empty"), [2]),
        (Filter(group=CSIRT), [1, 2, 3, 5]),
        (Filter(topic="leerp.intake.other.v1"), [4]),
        (Filter(source="cert-ee"), [5]),
        (Filter(source="ert-ee"), []),
        (Filter(source="cert_ee"), []),
        (Filter(since=START + timedelta(hours=3)), [3, 4]),
        (Filter(reason="not-json", group=CSIRT, since=START + timedelta(hours=1)), [3]),
        (Filter(status="replayed"), []),
        (Filter(status=None), [1, 2, 3, 4, 5]),
    ],
)
def test_a_filter_lets_through_what_fits_in_every_part(
    mixed: Database, wanted: Filter, expected: Sequence[int]
) -> None:
    assert ids(mixed, wanted) == expected
    with mixed.read() as connection:
        assert open_ids(connection, wanted) == (expected if wanted.status != "replayed" else [])


def test_pages_follow_each_other_without_gap_or_repeat(mixed: Database) -> None:
    first = ids(mixed, Filter(), limit=2)
    second = ids(mixed, Filter(), limit=2, after=first[-1])
    third = ids(mixed, Filter(), limit=2, after=second[-1])
    assert (first, second, third) == ([1, 2], [3, 4], [5])


def test_reasons_are_counted_by_topic_with_their_share_of_all_that_was_read(
    mixed: Database,
) -> None:
    with mixed.read() as connection:
        rows = statistics(connection, Filter(status=None))
    counted = [
        (r["topic"], r["source"], r["reason"], r["count"], r["open"], r["read"], r["share"])
        for r in rows
    ]
    assert counted == [
        ("leerp.intake.csirt.v1", "", "not-json", 2, 2, 4, 0.5),
        ("leerp.intake.csirt.v1", "", "empty", 1, 1, 4, 0.25),
        ("leerp.intake.csirt.v1.cert-ee", "cert-ee", "not-json", 1, 1, 1, 1.0),
        ("leerp.intake.other.v1", "", "not-json", 1, 1, 1, 1.0),
    ]
    assert (rows[0]["first"], rows[0]["last"]) == (START, START + timedelta(hours=3))
    assert rows[0]["example"] == 3


def test_without_any_record_there_is_nothing_to_count(database: Database) -> None:
    with database.read() as connection:
        assert statistics(connection, Filter(status=None)) == []


def reasons_of_intake() -> set[str]:
    """The reasons that stand as words in the code of intake."""
    found = set()
    for path in (ROOT / "intake").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id in {"RejectedReport", "Rejected"}:
                said = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "reason")]
                found |= {str(each.value) for each in said if isinstance(each, ast.Constant)}
    return found | set(REASONS_OF_OWN.values()) | {UNPROCESSABLE, TOO_COSTLY}


def test_there_is_a_hint_for_every_reason_and_none_beyond() -> None:
    assert len(reasons_of_intake()) > 30
    assert reasons_of_intake() == HINTS.keys()


def test_the_guide_for_senders_names_every_reason_and_what_to_do_about_it() -> None:
    guide = (ROOT / "docs" / "sending-reports.md").read_text()
    assert [reason for reason in HINTS if f"| `{reason}` | {HINTS[reason]} |" not in guide] == []
