"""How fast a campaign goes out, and when its last mail may be expected to be accepted. Issue 7."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from infra.tables import notification
from notifications.outbox import State

WINDOW = timedelta(seconds=60)
"""Over which the rate is taken."""
UNDER_WAY = (State.QUEUED, State.SENDING, State.RETRY_DUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Mails a second over the last minute, and what is still to be sent."""

    per_second: float
    left: int
    later: int
    """Of these, how many wait for a time that has not come."""
    next_due: datetime | None
    """When the first of those comes."""

    def end(self, now: datetime) -> datetime | None:
        """When the mails that need not wait are out at this rate; None while nothing moves."""
        if not self.per_second:
            return None
        return now + timedelta(seconds=(self.left - self.later) / self.per_second)


def pace_of(connection: Connection, campaign_id: str, now: datetime) -> Pace:
    """The pace of a campaign at ``now``."""
    columns = notification.c
    mine, open_ones = columns.campaign_id == campaign_id, columns.state.in_(UNDER_WAY)
    recent, first = connection.execute(
        select(func.count(), func.min(columns.accepted_at)).where(
            mine, columns.accepted_at > now - WINDOW
        )
    ).one()
    later = columns.due_at > now
    left, waiting, due = connection.execute(
        select(
            func.count(),
            func.count().filter(later),
            func.min(columns.due_at).filter(later),
        ).where(mine, open_ones)
    ).one()
    spent = (now - first).total_seconds() if first else 0.0
    return Pace(per_second=recent / max(spent, 1.0), left=left, later=waiting, next_due=due)
