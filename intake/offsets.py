"""The position in Kafka, kept in our database and moved in the transaction of what was settled.

Source: reliability 3.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from infra.tables import consumer_offset
from intake.records import Accepted, Rejected

Place = tuple[str, int]
"""Topic and partition."""


def positions(connection: Connection) -> dict[Place, int]:
    """The next offset to settle of every partition that something was settled of."""
    rows = connection.execute(select(consumer_offset))
    return {(row.topic, row.partition): row.next for row in rows}


def not_yet_settled(
    connection: Connection, batch: Sequence[Accepted | Rejected]
) -> list[Accepted | Rejected]:
    """Leave out what lies before the stored position: it was settled before, perhaps by another."""
    stored = positions(connection)
    return [
        outcome
        for outcome in batch
        if outcome.record.offset >= stored.get((outcome.record.topic, outcome.record.partition), 0)
    ]


def save_offsets(connection: Connection, settled: Sequence[Accepted | Rejected]) -> None:
    """Move the position of each partition past what was settled of it."""
    for (topic, partition), (_, last) in _ends(settled).items():
        moved = connection.execute(
            update(consumer_offset)
            .where(consumer_offset.c.topic == topic, consumer_offset.c.partition == partition)
            .values(next=last + 1)
        )
        if moved.rowcount == 0:
            connection.execute(
                insert(consumer_offset).values(topic=topic, partition=partition, next=last + 1)
            )


def span(settled: Sequence[Accepted | Rejected]) -> dict[str, str]:
    """First and last offset of each partition, for the audit trail."""
    return {
        f"{topic}/{partition}": f"{first}-{last}"
        for (topic, partition), (first, last) in _ends(settled).items()
    }


def _ends(settled: Sequence[Accepted | Rejected]) -> dict[Place, tuple[int, int]]:
    ends: dict[Place, tuple[int, int]] = {}
    for outcome in settled:
        where = (outcome.record.topic, outcome.record.partition)
        first, last = ends.get(where, (outcome.record.offset, outcome.record.offset))
        ends[where] = (min(first, outcome.record.offset), max(last, outcome.record.offset))
    return ends
