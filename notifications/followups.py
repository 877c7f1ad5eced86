"""What happens to a campaign after the first mails: reminders, second contacts, and how it stands.

New rows are appended with new cursors; rows that exist never change place. Every call may be repeated:
what is there already is not made again. Source: R33, R72; design section 3; reliability 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, RowMapping, Select, and_, case, func, insert, select

from infra import audit
from infra.tables import acknowledgement, notification
from notifications.campaigns import recipients_of
from notifications.directory import Directory, Recipient
from notifications.locks import LockDecision
from notifications.outbox import State
from notifications.rows import RowMaker

ACTOR = "campaign"
_BEST_FIRST = (
    State.ACCEPTED,
    State.SENDING,
    State.QUEUED,
    State.RETRY_DUE,
    State.UNKNOWN,
    State.REFUSED,
    State.HELD,
)


class _Border(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Appended(_Border):
    """What a follow-up did. The campaign's rows now have the cursors 0 to ``size`` - 1."""

    size: int
    added: int
    silent: tuple[str, ...] = ()
    """Recipients who have not acknowledged and have no further contact that may be tried."""


class CampaignCounts(_Border):
    """How a campaign stands, by recipient; each of them is in exactly one of the seven states.

    A recipient's state is the best of its mails'. ``escalated`` counts those whose further contact
    was reached, ``pending`` the mails (not recipients) that are still to be sent.
    """

    recipients: int
    accepted: int
    sending: int
    queued: int
    retry_due: int
    unknown: int
    refused: int
    held: int
    acknowledged: int
    escalated: int
    pending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A recipient that has not acknowledged, with its rows in the order of their cursors."""

    id: str
    rows: Sequence[RowMapping]

    @property
    def tried(self) -> list[int]:
        return sorted({row["contact"] for row in self.rows})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Campaign:
    """A frozen campaign, read for a follow-up; its recipients as the directory in force has them."""

    maker: RowMaker
    recipients: dict[str, Recipient]
    open: tuple[_Open, ...]
    size: int


def remind(
    connection: Connection, campaign_id: str, *, revision: int, message_key: bytes, now: datetime
) -> Appended:
    """Append the ``revision``-th reminder (from 1) to the contact that was reached last.

    For all who have not acknowledged although a mail was accepted for them. The locks are tried
    again with the rights and keys of the directory in force; where one has closed since, or where the
    recipient is no longer in the directory, the reminder is held with the reason.

    Raises:
        NotFound: no such campaign.
    """
    read = _read(connection, campaign_id, message_key, now)
    rows: list[dict[str, Any]] = []
    for each in read.open:
        accepted = [row["contact"] for row in each.rows if row["state"] == State.ACCEPTED]
        reminded = any(row["revision"] >= revision for row in each.rows)
        if reminded or not accepted:
            continue
        contact = max(accepted)
        decision = read.maker.decide(read.recipients.get(each.id), contact)
        cursor = read.size + len(rows)
        rows.append(read.maker.row(each.id, contact, decision, cursor=cursor, revision=revision))
    _append(connection, read, rows, "campaign_reminded", revision=revision)
    return Appended(size=read.size + len(rows), added=len(rows))


def second_contact(
    connection: Connection,
    campaign_id: str,
    *,
    message_key: bytes,
    now: datetime,
    contacts: int = 2,
) -> Appended:
    """Append the notice to the next contact of all who have not acknowledged.

    Those whose first mail was refused or held are among them. ``contacts`` is how many contacts each
    shall have been tried at after the call: 2 for the second, 3 for the third. Contacts whose locks
    are closed by the directory in force are passed over; who has left it has no contact.

    Raises:
        NotFound: no such campaign.
    """
    read = _read(connection, campaign_id, message_key, now)
    rows: list[dict[str, Any]] = []
    silent = []
    for each in read.open:
        if len(each.tried) >= contacts:
            continue
        found = _next_open(read, each)
        if found is None:
            silent.append(each.id)
            continue
        contact, decision = found
        cursor = read.size + len(rows)
        rows.append(read.maker.row(each.id, contact, decision, cursor=cursor, revision=0))
    _append(connection, read, rows, "campaign_second_contact", silent=silent)
    return Appended(size=read.size + len(rows), added=len(rows), silent=tuple(silent))


def counts(connection: Connection, campaign_id: str) -> CampaignCounts:
    """How the campaign stands; all zero for one that nobody froze."""
    mine = notification.c.campaign_id == campaign_id
    rank = case({state: n for n, state in enumerate(_BEST_FIRST)}, value=notification.c.state)
    best = (
        select(func.min(rank).label("rank"), func.min(notification.c.cursor).label("first"))
        .where(mine)
        .group_by(notification.c.recipient_id)
        .subquery()
    )
    ranks = {
        row.rank: row.number
        for row in connection.execute(
            select(best.c.rank, func.count().label("number")).group_by(best.c.rank)
        )
    }
    states = {str(state): ranks.get(n, 0) for n, state in enumerate(_BEST_FIRST)}
    return CampaignCounts(
        recipients=sum(states.values()),
        **states,
        acknowledged=_number(
            connection,
            select(func.count())
            .select_from(acknowledgement)
            .where(acknowledgement.c.campaign_id == campaign_id),
        ),
        escalated=_number(connection, _escalated(campaign_id)),
        pending=_number(
            connection,
            select(func.count()).where(
                mine, notification.c.state.in_((State.QUEUED, State.SENDING, State.RETRY_DUE))
            ),
        ),
    )


def unacknowledged(connection: Connection, campaign_id: str) -> tuple[str, ...]:
    """Recipients of the frozen list that have not acknowledged, in its order."""
    acknowledged = _acknowledged(connection, campaign_id)
    return tuple(r for r in recipients_of(connection, campaign_id) if r not in acknowledged)


def _acknowledged(connection: Connection, campaign_id: str) -> set[str]:
    return set(
        connection.scalars(
            select(acknowledgement.c.recipient_id).where(
                acknowledgement.c.campaign_id == campaign_id
            )
        )
    )


def _escalated(campaign_id: str) -> Select[int]:
    """Recipients for whom a mail was accepted at another contact than that of their first row."""
    first = (
        select(notification.c.recipient_id, func.min(notification.c.cursor).label("cursor"))
        .where(notification.c.campaign_id == campaign_id)
        .group_by(notification.c.recipient_id)
        .subquery()
    )
    start, later = notification.alias(), notification.alias()
    return (
        select(func.count(later.c.recipient_id.distinct()))
        .select_from(first)
        .join(
            start,
            and_(start.c.campaign_id == campaign_id, start.c.cursor == first.c.cursor),
        )
        .join(
            later,
            and_(
                later.c.campaign_id == campaign_id,
                later.c.recipient_id == first.c.recipient_id,
                later.c.contact != start.c.contact,
            ),
        )
        .where(later.c.state == State.ACCEPTED)
    )


def _number(connection: Connection, query: Select[int]) -> int:
    return connection.scalar(query) or 0


def _read(connection: Connection, campaign_id: str, message_key: bytes, now: datetime) -> _Campaign:
    maker = RowMaker.of(connection, campaign_id, message_key=message_key, now=now)
    acknowledged = _acknowledged(connection, campaign_id)
    rows = connection.execute(
        select(
            notification.c.recipient_id,
            notification.c.contact,
            notification.c.revision,
            notification.c.state,
            notification.c.cursor,
        )
        .where(notification.c.campaign_id == campaign_id)
        .order_by(notification.c.cursor)
    )
    grouped: dict[str, list[RowMapping]] = {}
    for each in rows.mappings():
        grouped.setdefault(each["recipient_id"], []).append(each)
    return _Campaign(
        maker=maker,
        recipients=Directory.load(connection).by_id(),
        open=tuple(
            _Open(id=name, rows=theirs)
            for name, theirs in grouped.items()
            if name not in acknowledged
        ),
        size=sum(map(len, grouped.values())),
    )


def _next_open(read: _Campaign, each: _Open) -> tuple[int, LockDecision] | None:
    recipient = read.recipients.get(each.id)
    for contact in range(len(recipient.contacts) if recipient else 0):
        if recipient and contact not in each.tried:
            decision = read.maker.decide(recipient, contact)
            if decision.allowed:
                return contact, decision
    return None


def _append(
    connection: Connection, read: _Campaign, rows: list[dict[str, Any]], event: str, **detail: Any
) -> None:
    if rows:
        connection.execute(insert(notification), rows)
        read.maker.log_copies(connection, rows)
        audit.append(
            connection,
            event,
            actor=ACTOR,
            subject=read.maker.campaign_id,
            added=len(rows),
            held=[row["recipient_id"] for row in rows if row["state"] == State.HELD],
            **detail,
        )
