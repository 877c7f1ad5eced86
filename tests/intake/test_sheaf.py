"""Sheaves: what was packed where it was read comes out as it went in, and only what is new is stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from infra.database import Database
from infra.originals import BODIES, documents
from infra.packing import BLOCK_BYTES, blocks_of, items_in, only
from infra.tables import report
from infra.tables_blocks import body_block
from intake.sheaf import apart, bound, joined
from tests.intake.samples import body_of, content, read_all, store_of

BODY = [content(name, "hash-1") for name in "abcdef"]


def test_records_come_apart_as_they_were_bound() -> None:
    reads = read_all([BODY[0], b"{no report", BODY[1]])
    assert list(apart(joined([bound(reads[:1]), bound(reads[1:])]))) == reads
    assert list(apart(bound([]))) == []


@given(
    sizes=st.lists(st.integers(0, BLOCK_BYTES), max_size=12),
    chosen=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_of_any_blocks_only_the_wanted_items_are_left(sizes: list[int], chosen: list[bool]) -> None:
    items = [bytes([n]) * size for n, size in enumerate(sizes)]
    left = only(blocks_of(items), chosen[: len(items)])
    assert [item for block in left for item in items_in(block.data)] == [
        item for item, wanted in zip(items, chosen, strict=False) if wanted
    ]


@pytest.mark.requirement("R4")
def test_what_is_known_already_is_not_kept_again(database: Database) -> None:
    store = store_of(database)
    store.settle(read_all([BODY[0], BODY[2]]), source="test")
    mixed = [BODY[0], BODY[1], BODY[1], BODY[2], BODY[3]]
    settled = store.settle_sheaf(bound(read_all(mixed, first=2)), source="test")
    assert (len(settled.stored), settled.duplicates) == (2, 3)
    with database.read() as connection:
        rows = connection.execute(select(report).order_by(report.c.seq)).all()
        bodies = dict(BODIES.read(connection, [row.body_id for row in rows]))
        told = [document["source_id"] for _, document in documents(connection, range(1, 9))]
        last = connection.scalar(select(func.max(body_block.c.last)))
    assert [row.source_id for row in rows] == told == ["a", "c", "b", "d"]
    assert [bodies[row.body_id].content for row in rows] == [body_of(BODY[n]) for n in (0, 2, 1, 3)]
    assert last == len(rows)
