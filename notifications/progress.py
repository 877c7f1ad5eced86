"""How far a range of the outbox is, and when to come again for the rest of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, case, func, or_, select

from infra.tables import notification
from infra.tables_delivery import destination
from notifications.claiming import retried
from notifications.outbox import Range, State


def counts(connection: Connection, rows: Range) -> dict[State, int]:
    """How many rows of the range are in each state; every state is named."""
    found = connection.execute(
        select(notification.c.state, func.count()).where(rows.rows()).group_by(notification.c.state)
    )
    return dict.fromkeys(State, 0) | {State(state): number for state, number in found}


def next_due(connection: Connection, rows: Range, *, resend_unknown: bool) -> datetime | None:
    """When something of the range has to be done next, or None when all of it is settled.

    What waits for a destination that is paused is not due before the pause is over.
    """
    due, pause = notification.c.due_at, destination.c.next_at
    at = case((and_(pause.is_not(None), or_(due.is_(None), pause > due)), pause), else_=due)
    waits = notification.c.state.in_((State.QUEUED, *retried(resend_unknown=resend_unknown)))
    first, lease = connection.execute(
        select(
            func.min(at).filter(waits),
            func.min(notification.c.lease_until).filter(notification.c.state == State.SENDING),
        )
        .select_from(notification)
        .outerjoin(destination, destination.c.domain == notification.c.destination)
        .where(rows.rows())
    ).one()
    return min((found for found in (first, lease) if found is not None), default=None)
