"""Withdrawing a notice: what is not sent never goes, and exactly those who got it are told.

One officer proposes, which holds back what is not sent yet; a second one agrees, and from then on nothing
of it goes past the last look before the body. Source: issue 7, item 7; design section 4 (four eyes).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from infra import audit
from infra.tables import campaign, notification
from infra.tables_acknowledgement import withdrawal
from notifications.notices import WithdrawalNotice, read_content, reference
from notifications.outbox import State
from protocol.errors import NotFound, Refused
from protocol.parties import Role
from protocol.reasons import stated_reason
from protocol.stages import NoticeKind

WITHDRAWING = frozenset({Role.RELEASE, Role.DUTY_MANAGER})
"""Who may propose to withdraw a notice, and agree."""
WAITING = (State.QUEUED, State.RETRY_DUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """How a withdrawal stands."""

    campaign_id: str
    approved: bool
    held: int
    """Mails that were kept back by this call."""
    told: int
    """Contacts that got the notice, or may have got it."""


def propose(
    connection: Connection,
    campaign_id: str,
    *,
    officer: str,
    reason: str,
    channel: str,
    now: datetime,
) -> Withdrawn:
    """Propose to withdraw a campaign, and hold what is not sent.

    Raises:
        NotFound: no such campaign.
        Refused: ``no-reason`` or ``bad-reason``; ``already-proposed``.
    """
    _campaign(connection, campaign_id)
    why = stated_reason(reason, missing="say with --reason why the notice is withdrawn")
    if (found := _proposal(connection, campaign_id)) is not None:
        raise Refused(
            "already-proposed",
            f"{found.proposed_by} has proposed it: a second person agrees with 'leerp campaign "
            f"withdraw {campaign_id} --agree'",
        )
    connection.execute(
        insert(withdrawal).values(
            campaign_id=campaign_id, reason=why, proposed_by=officer, proposed_at=now
        )
    )
    held = _hold(connection, campaign_id, f"withdrawal proposed by {officer}: {why}")
    audit.append(
        connection,
        "withdrawal_proposed",
        actor=officer,
        subject=campaign_id,
        channel=channel,
        reason=why,
        held=held,
    )
    return Withdrawn(
        campaign_id=campaign_id,
        approved=False,
        held=held,
        told=len(who_got_it(connection, campaign_id)),
    )


def agree(
    connection: Connection, campaign_id: str, *, officer: str, channel: str, now: datetime
) -> Withdrawn:
    """Agree as the second person: the notice is withdrawn. The same person may say it again.

    Raises:
        NotFound: no such campaign.
        Refused: ``nothing-proposed``; ``same-person``; ``already-withdrawn``, by somebody else.
    """
    _campaign(connection, campaign_id)
    found = _proposal(connection, campaign_id)
    if found is None:
        raise Refused(
            "nothing-proposed",
            f"nobody has proposed it: 'leerp campaign withdraw {campaign_id} --reason ...'",
        )
    if found.proposed_by == officer:
        raise Refused(
            "same-person",
            f"{officer} proposed this; withdrawing needs a second, different person",
        )
    if found.approved_by not in (None, officer):
        raise Refused("already-withdrawn", f"{found.approved_by} has agreed already")
    held = 0
    if found.approved_by is None:
        connection.execute(
            update(withdrawal)
            .where(withdrawal.c.campaign_id == campaign_id)
            .values(approved_by=officer, approved_at=now)
        )
        held = _hold(connection, campaign_id, f"withdrawn by {officer}: {found.reason}")
        audit.append(
            connection,
            "campaign_withdrawn",
            actor=officer,
            subject=campaign_id,
            channel=channel,
            proposed_by=found.proposed_by,
            held=held,
            told=[f"{name}/{number + 1}" for name, number in who_got_it(connection, campaign_id)],
        )
    return Withdrawn(
        campaign_id=campaign_id,
        approved=True,
        held=held,
        told=len(who_got_it(connection, campaign_id)),
    )


def who_got_it(connection: Connection, campaign_id: str) -> tuple[tuple[str, int], ...]:
    """Recipients and contacts that got a mail of the campaign, or may have got it, in its order."""
    rows = connection.execute(
        select(notification.c.recipient_id, notification.c.contact)
        .where(
            notification.c.campaign_id == campaign_id,
            or_(
                notification.c.accepted_at.is_not(None),
                notification.c.state.in_((State.ACCEPTED, State.UNKNOWN)),
                and_(notification.c.state == State.SENDING, notification.c.data_started),
            ),
        )
        .order_by(notification.c.cursor)
    )
    return tuple(dict.fromkeys((row.recipient_id, row.contact) for row in rows))


def withdrawal_notice(
    connection: Connection, campaign_id: str, *, issued_at: datetime
) -> WithdrawalNotice:
    """What those are told who got it.

    Raises:
        NotFound: no such campaign.
        Refused: ``nothing-proposed``, it is not withdrawn.
    """
    row, found = _campaign(connection, campaign_id), _proposal(connection, campaign_id)
    if found is None or found.approved_at is None:
        raise Refused("nothing-proposed", f"{campaign_id} is not withdrawn")
    content = read_content(row.content)
    return WithdrawalNotice(
        incident_id=row.incident_id,
        exercise=row.exercise,
        issued_at=issued_at,
        marking=content.marking,
        # Number and time as they stand on what its readers hold.
        withdraws=reference(content) if content.kind is NoticeKind.EWN else campaign_id,
        was_issued_at=content.issued_at,
        statement=found.reason,
    )


def _hold(connection: Connection, campaign_id: str, reason: str) -> int:
    """Hold what waits; what is under way is stopped by the last look before the body."""
    done = connection.execute(
        update(notification)
        .where(notification.c.campaign_id == campaign_id, notification.c.state.in_(WAITING))
        .values(state=State.HELD, reason=reason, due_at=None)
    )
    return done.rowcount


def _campaign(connection: Connection, campaign_id: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
    if row is None:
        raise NotFound(f"no campaign {campaign_id}: see 'leerp campaign list'")
    return row


def _proposal(connection: Connection, campaign_id: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(
        select(withdrawal).where(withdrawal.c.campaign_id == campaign_id).with_for_update()
    ).one_or_none()
