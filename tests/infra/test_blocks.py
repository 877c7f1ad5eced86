"""Items in compressed blocks: whatever was put in under a number comes out under it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from infra.blocks import Blocks
from infra.bulk import Bulk
from infra.database import Database
from infra.originals import BODIES
from infra.packing import BLOCK_BYTES, packed, unpacked
from infra.stored import Body
from infra.tables_blocks import body_block

WORDS = Blocks(body_block, bytes)


def add(database: Database, items: Sequence[bytes]) -> int:
    with database.write() as connection:
        return WORDS.add(Bulk(connection), items)


def test_numbers_follow_each_other_over_batches_and_blocks(database: Database) -> None:
    long = bytes(range(256)) * (BLOCK_BYTES // 512)
    first = [long, b"a", long, b"", long, b"b"]
    assert add(database, first) == 1
    assert add(database, [b"c"]) == 7
    assert add(database, []) == 8
    with database.read() as connection:
        assert list(WORDS.read(connection, range(1, 8))) == list(enumerate([*first, b"c"], start=1))
        assert list(WORDS.read(connection, [7, 2, 7])) == [(2, b"a"), (7, b"c")]
        assert (connection.scalar(select(func.count()).select_from(body_block)) or 0) > 2


def test_an_item_larger_than_a_block_is_one_by_itself(database: Database) -> None:
    large = bytes(3 * BLOCK_BYTES)
    add(database, [b"before", large, b"after"])
    with database.read() as connection:
        assert [item for _, item in WORDS.read(connection, [1, 2, 3])] == [
            b"before",
            large,
            b"after",
        ]
        assert connection.scalar(select(func.count()).select_from(body_block)) == 3


def test_a_number_that_nothing_was_stored_under_is_passed_over(database: Database) -> None:
    add(database, [b"one"])
    with database.read() as connection:
        assert list(WORDS.read(connection, [1, 2, 99])) == [(1, b"one")]
        assert list(WORDS.read(connection, [])) == []


@settings(max_examples=25, deadline=None)
@given(batches=st.lists(st.lists(st.binary(max_size=40_000), max_size=5), max_size=5))
def test_any_batches_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]]
) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('blocks') / 'leerp.db'}")
    database.migrate()
    for batch in batches:
        add(database, batch)
    everything = [item for batch in batches for item in batch]
    with database.read() as connection:
        found = list(WORDS.read(connection, range(1, len(everything) + 3)))
    database.close()
    assert found == list(enumerate(everything, start=1))


def test_what_came_off_kafka_is_kept_byte_by_byte(database: Database) -> None:
    body = Body(media_type="text/plain", content=bytes(range(256)))
    with database.write() as connection:
        number = BODIES.add(Bulk(connection), [body])
    with database.read() as connection:
        assert dict(BODIES.read(connection, [number])) == {number: body}


@given(keys=st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_keys_of_indicators_are_unpacked_as_they_were_packed(keys: list[int]) -> None:
    assert list(unpacked(packed(keys))) == keys
