"""The position in Kafka, kept in our database and moved in the transaction of what was settled.

Source: reliability 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from infra.bulk import Bulk
from infra.tables import consumer_offset
from intake.records import RawRecord

Place = tuple[str, int]
"""Topic and partition."""
Span = tuple[int, int]
"""First and last offset."""


def positions(connection: Connection) -> dict[Place, int]:
    """The next offset to settle of every partition that something was settled of."""
    rows = connection.execute(select(consumer_offset))
    return {(row.topic, row.partition): row.next for row in rows}


def past(positions: Mapping[Place, int], record: RawRecord) -> bool:
    """Whether the record lies before the stored position: it was settled, perhaps by another."""
    return record.offset < positions.get((record.topic, record.partition), 0)


def save_offsets(connection: Connection, spans: Mapping[Place, Span]) -> None:
    """Move the position of each partition past what was settled of it."""
    Bulk(connection).put(
        consumer_offset,
        [
            {"topic": topic, "partition": partition, "next": last + 1}
            for (topic, partition), (_, last) in spans.items()
        ],
    )


def spans_of(records: Iterable[RawRecord]) -> dict[Place, Span]:
    """First and last offset of each partition."""
    spans: dict[Place, Span] = {}
    for record in records:
        where, offset = (record.topic, record.partition), record.offset
        first, last = spans.get(where, (offset, offset))
        spans[where] = (min(offset, first), max(offset, last))
    return spans
