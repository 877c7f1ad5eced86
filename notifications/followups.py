"""What happens to a campaign after the first mails: reminders, second contacts, and how it stands.

New rows are appended with new cursors; rows that exist never change place. Every call may be repeated:
what is there already is not made again. Source: R33, R72; design section 3; reliability 2.2.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Select, and_, case, func, insert, select

from infra import audit
from infra.tables import acknowledgement, notification
from infra.tables_acknowledgement import answer, settlement
from notifications.answers import Answer
from notifications.campaigns import recipients_of
from notifications.open_recipients import (
    EVERY_CLASS,
    Open,
    OpenCampaign,
    next_contact,
    read_open,
    settled,
    withdrawn,
)
from notifications.outbox import State
from protocol.parties import RecipientClass

ACTOR = "campaign"
REMINDED, SECOND_CONTACT, MISDIRECTED = (
    "campaign_reminded",
    "campaign_second_contact",
    "campaign_misdirected",
)
APPENDING = frozenset({REMINDED, SECOND_CONTACT, MISDIRECTED})
"""Events of the audit trail that say how many mails were ``added``."""
_BEST_FIRST = (
    State.ACCEPTED,
    State.SENDING,
    State.QUEUED,
    State.RETRY_DUE,
    State.UNKNOWN,
    State.REFUSED,
    State.BOUNCED,
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
    """How a campaign stands, by recipient; each of them is in exactly one of the states of a mail.

    A recipient's state is the best of its mails'. ``escalated`` counts those whose further contact
    was reached, ``pending`` the mails (not recipients) that are still to be sent. ``settled`` are those
    of whom a person said what became of them, ``need_help`` and ``wrong_addressee`` those whose newest
    answer says so.
    """

    recipients: int
    accepted: int
    sending: int
    queued: int
    retry_due: int
    unknown: int
    refused: int
    bounced: int = 0
    held: int
    acknowledged: int
    escalated: int
    pending: int
    settled: int = 0
    need_help: int = 0
    wrong_addressee: int = 0


def remind(
    connection: Connection,
    campaign_id: str,
    *,
    revision: int,
    message_key: bytes,
    now: datetime,
    classes: Collection[RecipientClass] = EVERY_CLASS,
) -> Appended:
    """Append the ``revision``-th reminder (from 1) to the contact that was reached last.

    For all of these classes who are not settled although a mail was accepted for them. The locks are tried
    again with the rights and keys of the directory in force; where one has closed since, or where the
    recipient is no longer in the directory, the reminder is held with the reason.

    Raises:
        NotFound: no such campaign.
    """
    read = read_open(connection, campaign_id, message_key=message_key, now=now, classes=classes)
    rows: list[dict[str, Any]] = []
    for each in read.open:
        contact = each.reached
        if contact is None or any(row["revision"] >= revision for row in each.rows):
            continue
        decision = read.maker.decide(read.recipients.get(each.id), contact)
        cursor = read.size + len(rows)
        rows.append(read.maker.row(each.id, contact, decision, cursor=cursor, revision=revision))
    _append(connection, read, rows, REMINDED, revision=revision)
    return Appended(size=read.size + len(rows), added=len(rows))


def second_contact(
    connection: Connection,
    campaign_id: str,
    *,
    message_key: bytes,
    now: datetime,
    contacts: int = 2,
    classes: Collection[RecipientClass] = EVERY_CLASS,
) -> Appended:
    """Append the notice to the next contact of all of these classes who are not settled.

    Those whose first mail was refused or held are among them. ``contacts`` is how many contacts each
    shall have been tried at after the call: 2 for the second, 3 for the third. Contacts whose locks
    are closed by the directory in force are passed over, and so are those that are not staffed now
    where another one is; who has left the directory has no contact.

    Raises:
        NotFound: no such campaign.
    """
    read = read_open(connection, campaign_id, message_key=message_key, now=now, classes=classes)
    chosen = [each for each in read.open if len(each.tried) < contacts]
    return _to_next_contact(connection, read, chosen, SECOND_CONTACT)


def turn_misdirected(
    connection: Connection, campaign_id: str, *, message_key: bytes, now: datetime
) -> Appended:
    """Append the notice to the next contact of all whose every contact so far is the wrong one.

    Raises:
        NotFound: no such campaign.
    """
    read = read_open(connection, campaign_id, message_key=message_key, now=now)
    chosen = [each for each in read.open if each.misdirected.issuperset(each.tried)]
    return _to_next_contact(connection, read, chosen, MISDIRECTED)


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
        settled=_number(
            connection,
            select(func.count())
            .select_from(settlement)
            .where(settlement.c.campaign_id == campaign_id),
        ),
        need_help=_number(connection, _saying(campaign_id, Answer.NEED_HELP)),
        wrong_addressee=_number(connection, _saying(campaign_id, Answer.WRONG_ADDRESSEE)),
    )


def unsettled(connection: Connection, campaign_id: str) -> tuple[str, ...]:
    """Recipients of the frozen list that are not settled, in its order; nobody of a withdrawn one."""
    if withdrawn(connection, campaign_id):
        return ()
    done = settled(connection, campaign_id)
    return tuple(r for r in recipients_of(connection, campaign_id) if r not in done)


def _saying(campaign_id: str, said: Answer) -> Select[int]:
    """Recipients whose newest answer is this one."""
    newest = (
        select(func.max(answer.c.id))
        .where(answer.c.campaign_id == campaign_id)
        .group_by(answer.c.recipient_id)
    )
    return select(func.count()).where(answer.c.id.in_(newest), answer.c.answer == said)


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


def _to_next_contact(
    connection: Connection, read: OpenCampaign, chosen: Sequence[Open], event: str
) -> Appended:
    """Append the notice to the next contact of each that has one; the others are silent."""
    found = {each.id: next_contact(read, each) for each in chosen}
    rows = [
        read.maker.row(name, *going, cursor=cursor, revision=0)
        for cursor, (name, going) in enumerate(
            ((name, going) for name, going in found.items() if going is not None), read.size
        )
    ]
    silent = tuple(name for name, going in found.items() if going is None)
    _append(connection, read, rows, event, silent=list(silent))
    return Appended(size=read.size + len(rows), added=len(rows), silent=silent)


def _append(
    connection: Connection,
    read: OpenCampaign,
    rows: list[dict[str, Any]],
    event: str,
    **detail: Any,
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
