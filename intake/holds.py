"""What holds intake up, in the database: told to people, shared by processes, ended by an officer.

A hold begins and ends with an audit row. The next hour, the end of a pause or an officer ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from infra import audit
from infra.tables_intake import intake_hold, intake_usage
from intake.brakes import Hold, Place, Reason, hour_of
from protocol.errors import NotFound

TIME = "time"
"""Who has ended a hold that nobody ended before its time."""


def active_holds(connection: Connection) -> dict[Place, Hold]:
    """Holds that nothing has ended yet; the time of some may be over."""
    return {(row.topic, row.partition): _hold(row) for row in _active(connection)}


def begin_holds(connection: Connection, holds: Mapping[Place, Hold]) -> None:
    """Write down holds; a place that is already held is left as it is."""
    there = active_holds(connection)
    for (topic, partition), hold in holds.items():
        if (topic, partition) in there:
            continue
        connection.execute(
            insert(intake_hold).values(
                topic=topic,
                partition=partition,
                reason=hold.reason,
                since=hold.since,
                until=hold.until,
                detail=dict(hold.detail),
            )
        )
        audit.append(
            connection,
            "intake_held",
            actor="intake",
            subject=name_of((topic, partition)),
            reason=hold.reason,
            until=hold.until.isoformat(),
            numbers=dict(hold.detail),
        )


def end_over(connection: Connection, now: datetime) -> list[str]:
    """End the holds whose time is over, and return the names of their places."""
    over = [row for row in _active(connection) if row.until <= now]
    for row in over:
        _end(connection, row, now, by=TIME, actor="intake", channel="system")
    return [name_of((row.topic, row.partition)) for row in over]


def resume(connection: Connection, topic: str, *, by: str, channel: str) -> list[str]:
    """End every hold of a topic on an officer's word; return the names of the places.

    Where the quota held it, the hour begins anew. Processes notice within a second or two.

    Raises:
        NotFound: nothing of the topic is held.
    """
    now = datetime.now(UTC)
    rows = [row for row in _active(connection) if row.topic == topic]
    if not rows:
        raise NotFound(f"{topic} is not held: see 'leerp quarantine holds'")
    for row in rows:
        _end(connection, row, now, by=by, actor=by, channel=channel)
        if row.reason == Reason.QUOTA:
            connection.execute(
                update(intake_usage)
                .where(intake_usage.c.topic == topic, intake_usage.c.hour == hour_of(now))
                .values(records=0)
            )
    return [name_of((row.topic, row.partition)) for row in rows]


def share_usage(connection: Connection, taken: Mapping[tuple[str, datetime], int]) -> None:
    """Add what this process has read of topics with a quota to what all have."""
    for (topic, hour), records in taken.items():
        row = (intake_usage.c.topic == topic) & (intake_usage.c.hour == hour)
        counted = connection.execute(
            update(intake_usage).where(row).values(records=intake_usage.c.records + records)
        )
        if counted.rowcount == 0:
            connection.execute(insert(intake_usage).values(topic=topic, hour=hour, records=records))


def usage_of(connection: Connection, hour: datetime) -> dict[str, int]:
    """Records that topics with a quota have brought in that hour, in all processes."""
    rows = connection.execute(
        select(intake_usage.c.topic, intake_usage.c.records).where(intake_usage.c.hour == hour)
    )
    return {topic: records for topic, records in rows}  # noqa: C416  rows are no tuples to mypy


def list_holds(connection: Connection, *, ended: bool = False) -> list[dict[str, Any]]:
    """Holds for people, newest first: the place, since and until when, why, and what to do."""
    query = select(intake_hold).order_by(intake_hold.c.id.desc())
    if not ended:
        query = query.where(intake_hold.c.ended_at.is_(None))
    return [
        {
            "place": name_of((row.topic, row.partition)),
            "topic": row.topic,
            "partition": row.partition,
            "since": row.since,
            "until": row.until,
            "reason": row.reason,
            "why": words_of(_hold(row)),
            "ended_at": row.ended_at,
            "ended_by": row.ended_by,
            "what_to_do": "" if row.ended_at else _advice(row),
        }
        for row in connection.execute(query)
    ]


def name_of(place: Place) -> str:
    """The topic, with the partition where it is not the whole."""
    topic, partition = place
    return topic if partition is None else f"{topic}/{partition}"


def words_of(hold: Hold) -> str:
    """Why the place is held, for a person."""
    detail = hold.detail
    if hold.reason is Reason.QUOTA:
        return f"its quota of {detail['quota']} records for this hour is used up"
    return f"{detail['refused']} of its newest {detail['read']} records were refused"


def _advice(row: Row[Any]) -> str:
    if row.reason == Reason.QUOTA:
        return (
            "it goes on with the next hour; ask the source why it sends so much, or let it go on"
            f" with 'leerp quarantine resume {row.topic}'"
        )
    return (
        "see 'leerp quarantine list' for what is wrong and tell the source; a few records are tried"
        f" when the time is over, or at once after 'leerp quarantine resume {row.topic}'"
    )


def _active(connection: Connection) -> list[Row[Any]]:
    query = select(intake_hold).where(intake_hold.c.ended_at.is_(None)).order_by(intake_hold.c.id)
    return list(connection.execute(query))


def _end(
    connection: Connection, row: Row[Any], now: datetime, *, by: str, actor: str, channel: str
) -> None:
    connection.execute(
        update(intake_hold).where(intake_hold.c.id == row.id).values(ended_at=now, ended_by=by)
    )
    subject = name_of((row.topic, row.partition))
    detail = {"reason": row.reason, "since": row.since.isoformat()}
    audit.append(
        connection, "intake_resumed", actor=actor, subject=subject, channel=channel, **detail
    )


def _hold(row: Row[Any]) -> Hold:
    return Hold(reason=Reason(row.reason), since=row.since, until=row.until, detail=row.detail)
