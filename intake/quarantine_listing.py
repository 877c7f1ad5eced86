"""What lies in quarantine: chosen by reason, topic and time, in pages, and counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from infra import kafka
from infra.tables import consumer_offset, quarantine

OPEN = "open"
_OWN = ".v1."
"""Stands in the name of a topic before the source whose own it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which records; a part that is None lets all through."""

    status: str | None = OPEN
    reason: str | None = None
    group: str | None = None
    topic: str | None = None
    source: str | None = None
    """Id of a source that has a topic of its own."""
    since: datetime | None = None
    """Received at this time or later, aware."""

    def clauses(self) -> list[ColumnElement[bool]]:
        """As conditions on the table."""
        wanted = {
            quarantine.c.status: self.status,
            quarantine.c.reason: self.reason,
            quarantine.c.group: self.group,
            quarantine.c.topic: self.topic,
        }
        clauses = [column == value for column, value in wanted.items() if value is not None]
        if self.source is not None:
            clauses.append(quarantine.c.topic.endswith(f"{_OWN}{self.source}", autoescape=True))
        if self.since is not None:
            clauses.append(quarantine.c.received_at >= self.since)
        return clauses


def list_quarantine(
    connection: Connection, wanted: Filter, *, limit: int, after: int = 0
) -> list[dict[str, Any]]:
    """At most ``limit`` records with an id above ``after``, oldest first, without their bodies."""
    query = (
        select(quarantine)
        .where(quarantine.c.id > after, *wanted.clauses())
        .order_by(quarantine.c.id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def open_ids(connection: Connection, wanted: Filter) -> list[int]:
    """Ids of the chosen records that are open, oldest first."""
    query = select(quarantine.c.id).where(quarantine.c.status == OPEN, *wanted.clauses())
    return list(connection.scalars(query.order_by(quarantine.c.id)))


def statistics(connection: Connection, wanted: Filter) -> list[dict[str, Any]]:
    """Counts by topic and reason, most first.

    Each has ``topic``, ``group``, ``source`` ("" for a shared topic), ``reason``, ``count``, ``open``
    (how many still are), ``read`` (records of the topic that intake has settled), ``share`` (count by
    read, 0 to 1, None while nothing was read), ``first`` and ``last`` (when received) and ``example``
    (the id of the newest).
    """
    read = _read(connection)
    count = func.count()
    still_open = count.filter(quarantine.c.status == OPEN)
    query = (
        select(
            quarantine.c.topic,
            quarantine.c.group,
            quarantine.c.reason,
            count.label("count"),
            still_open.label("open"),
            func.min(quarantine.c.received_at).label("first"),
            func.max(quarantine.c.received_at).label("last"),
            func.max(quarantine.c.id).label("example"),
        )
        .where(*wanted.clauses())
        .group_by(quarantine.c.topic, quarantine.c.group, quarantine.c.reason)
        .order_by(count.desc(), quarantine.c.topic, quarantine.c.reason)
    )
    return [
        {
            **row,
            "source": kafka.source_of(row["topic"]),
            "read": read.get(row["topic"], 0),
            "share": _share(row["count"], read, row["topic"]),
        }
        for row in connection.execute(query).mappings()
    ]


def _read(connection: Connection) -> dict[str, int]:
    """Records settled by topic: offsets count from 0 and none is left out, as nothing is compacted."""
    query = select(
        consumer_offset.c.topic, func.sum(consumer_offset.c.next).label("settled")
    ).group_by(consumer_offset.c.topic)
    return {row.topic: int(row.settled) for row in connection.execute(query)}


def _share(count: int, read: dict[str, int], topic: str) -> float | None:
    settled = read.get(topic, 0)
    return count / settled if settled else None
