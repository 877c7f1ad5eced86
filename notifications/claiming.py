"""Claims on mails: who takes which, and what becomes of them when the taker is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from infra import audit
from infra.tables import notification
from infra.tables_delivery import destination, mail_bytes
from notifications.outbox import ACTOR, Claim, Range, State


def claim(
    connection: Connection,
    rows: Range,
    *,
    limit: int,
    now: datetime,
    lease: timedelta,
    resend_unknown: bool,
    room: Callable[[str], int] | None = None,
) -> list[Claim]:
    """Take up to ``limit`` mails that are due, in the frozen order, for as long as ``lease``.

    None for a destination that is paused, and no more for one than there is ``room`` for it.
    """
    ids = _due(
        connection,
        rows,
        limit=limit,
        now=now,
        again=retried(resend_unknown=resend_unknown),
        room=room,
    )
    if not ids:
        return []
    taken = connection.execute(
        update(notification)
        .where(notification.c.id.in_(ids))
        .values(
            state=State.SENDING,
            lease_until=now + lease,
            fence=notification.c.fence + 1,
            attempt=notification.c.attempt + 1,
            data_started=False,
            due_at=None,
            reason="",
        )
        .returning(*(notification.c[name] for name in _OF_ROW))
    )
    raws = {row.notification_id: row.raw for row in connection.execute(_RAWS, {"b_ids": ids})}
    claims = {
        row.id: Claim(**dict(zip(_OF_ROW, row, strict=True)), raw=raws.get(row.id)) for row in taken
    }
    return [claims[id_] for id_ in ids]


def retried(*, resend_unknown: bool) -> tuple[State, ...]:
    """The states in which a mail waits for another attempt."""
    return (State.RETRY_DUE, State.UNKNOWN) if resend_unknown else (State.RETRY_DUE,)


def _due(
    connection: Connection,
    rows: Range,
    *,
    limit: int,
    now: datetime,
    again: Sequence[State],
    room: Callable[[str], int] | None,
) -> list[str]:
    asked = {
        "b_campaign": rows.campaign_id,
        "b_start": rows.start,
        "b_end": rows.end,
        "b_now": now,
        "b_limit": limit,
    }
    states = (State.QUEUED, *again)
    ids: list[str] = []
    left: dict[str, int] = {}
    full: list[str] = []
    while len(ids) < limit:
        more = {**asked, "b_full": full, "b_taken": ids}
        # State by state, each in its order: the index has them so, and nothing is sorted or looked
        # through again for each claim, however long the list is.
        found = [
            row
            for state in states
            for row in connection.execute(_DUE, {**more, "b_state": state}).all()
        ]
        found = sorted(found, key=lambda row: (row.cursor, row.id))[:limit]
        for row in found:
            if room is None:
                ids.append(row.id)
            elif left.setdefault(row.destination, room(row.destination)) > 0 and len(ids) < limit:
                left[row.destination] -= 1
                ids.append(row.id)
        full = [domain for domain, places in left.items() if places <= 0]
        if room is None or len(found) < limit:
            break
    return ids


def expire_leases(connection: Connection, rows: Range, now: datetime) -> None:
    """Give up the claims of senders that are gone.

    A mail of which no byte was sent is due again; one whose body had begun is ``unknown``: the relay
    may have it.
    """
    over = and_(
        rows.rows(), notification.c.state == State.SENDING, notification.c.lease_until <= now
    )
    found = connection.execute(
        select(notification.c.id, notification.c.data_started).where(over).with_for_update()
    ).all()
    if not found:
        return
    unknown = [row.id for row in found if row.data_started]
    again = [row.id for row in found if not row.data_started]
    for ids, state, reason in (
        (again, State.RETRY_DUE, "the sender stopped before the mail was begun"),
        (unknown, State.UNKNOWN, "the sender stopped while the mail was under way"),
    ):
        connection.execute(
            update(notification)
            .where(notification.c.id.in_(ids))
            .values(state=state, reason=reason, lease_until=None, due_at=now)
        )
    audit.append(
        connection,
        "mail_leases_expired",
        actor=ACTOR,
        subject=rows.campaign_id,
        retry_due=again,
        unknown=unknown,
    )


_OF_ROW = tuple(name for name in Claim.__dataclass_fields__ if name != "raw")
# Made once, as in ``outbox``.
_RAWS = select(mail_bytes.c.notification_id, mail_bytes.c.raw).where(
    mail_bytes.c.notification_id.in_(bindparam("b_ids", expanding=True))
)
_PAUSED = select(destination.c.domain).where(destination.c.next_at > bindparam("b_now"))
_DUE = (
    select(notification.c.id, notification.c.destination, notification.c.cursor)
    .where(
        notification.c.campaign_id == bindparam("b_campaign"),
        notification.c.state == bindparam("b_state"),
        notification.c.cursor >= bindparam("b_start"),
        notification.c.cursor < bindparam("b_end"),
        or_(notification.c.due_at.is_(None), notification.c.due_at <= bindparam("b_now")),
        notification.c.destination.not_in(_PAUSED),
        notification.c.destination.not_in(bindparam("b_full", expanding=True)),
        notification.c.id.not_in(bindparam("b_taken", expanding=True)),
    )
    .order_by(notification.c.cursor, notification.c.id)
    .limit(bindparam("b_limit"))
    .with_for_update(skip_locked=True)
)
