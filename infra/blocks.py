"""Numbered items, many to a row and compressed: a fraction of the bytes that rows of their own take.

What a database writes is pages, twice; text that never changes and is read by number is cheaper
in one piece with its neighbours, which it resembles. Source: docs/decisions/011.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, Table, func, select

from infra.bulk import Bulk
from infra.packing import Packed, blocks_of, items_in
from infra.stored import pack_item

T = TypeVar("T")
CHUNK = 2_000
"""Items looked for in one query."""


class Blocks(Generic[T]):
    """The items of type ``kind`` that ``table`` holds; numbers begin with 1 and leave no gap."""

    def __init__(self, table: Table, kind: type[T]) -> None:
        self._table = table
        self._decode = msgspec.msgpack.Decoder(kind).decode

    def add(self, bulk: Bulk, items: Iterable[T], **values: Any) -> int:
        """Store items; return the number of the first. ``values`` fill the table's other columns."""
        return self.put(bulk, blocks_of(map(pack_item, items)), **values)

    def put(self, bulk: Bulk, blocks: Iterable[Packed], **values: Any) -> int:
        """As ``add``, of items that are packed already."""
        first = bulk.next_number(self._table.c.last)
        others = tuple(values.values())
        rows = []
        last = first - 1
        for block in blocks:
            last += block.count
            rows.append((last, *others, block.data))
        bulk.insert(self._table, ("last", *values, "data"), rows)
        return first

    def read(self, connection: Connection, numbers: Iterable[int]) -> Iterator[tuple[int, T]]:
        """The items with these numbers, each with its number, in the order of the numbers.

        One block is unpacked at a time, so that any number of items may be asked for.
        """
        asked = sorted(set(numbers))
        for start in range(0, len(asked), CHUNK):
            yield from self._read(connection, asked[start : start + CHUNK])

    def _read(self, connection: Connection, asked: Sequence[int]) -> Iterator[tuple[int, T]]:
        number = Bulk(connection).members(asked, self._table.c.last)
        block = self._table.c
        nearest = (
            select(func.min(block.last))
            .where(block.last >= number)
            .correlate_except(self._table)
            .scalar_subquery()
        )
        blocks_of = connection.execute(select(number, nearest).order_by(number)).all()
        for last, wanted in groupby(blocks_of, key=lambda row: row[1]):
            data = connection.scalar(select(block.data).where(block.last == last))
            if data is None:
                continue
            parts = items_in(data)
            for row in wanted:
                yield row[0], self._decode(parts[row[0] - last - 1])
