"""The call list: whom a person is to phone about a notice, and what came of it.

A call that reached somebody settles the recipient, and so does an officer's word for what became of it;
both are kept as proofs of their own kind, beside acknowledgements. Source: R33, R72; issue 7, item 7.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, insert, select

from infra import audit
from infra.tables import campaign, notification, relay
from infra.tables_acknowledgement import call, call_due, settlement
from notifications.answers import Proof
from notifications.directory import Contact, Directory, Recipient
from notifications.followups import unsettled
from notifications.open_recipients import settled
from notifications.reader_words import choose_language, phrases
from protocol.errors import NotFound, Refused
from protocol.parties import Role
from protocol.reasons import stated_reason

SETTLING = frozenset({Role.DUTY_OFFICER, Role.LAUNCH, Role.RELEASE, Role.DUTY_MANAGER})
"""Who may phone, and say what became of a recipient."""


class CallResult(StrEnum):
    """What came of a call."""

    REACHED = "reached"
    NO_ANSWER = "no-answer"
    WRONG_NUMBER = "wrong-number"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an officer records about one recipient of a campaign."""

    campaign_id: str
    recipient_id: str
    officer: str
    channel: str
    reason: str = field(repr=False)


def calls(
    connection: Connection, campaign_id: str, now: datetime, *, everybody: bool = False
) -> list[dict[str, Any]]:
    """Who is to be phoned: on the list and not settled, or all who are not settled.

    Those with somebody there now stand first. Times are aware; ``say`` is in the language of the contact
    where it is one of ours.

    Raises:
        NotFound: no such campaign.
    """
    row = _campaign(connection, campaign_id)
    left = unsettled(connection, campaign_id)
    listed = set(
        connection.scalars(
            select(call_due.c.recipient_id).where(call_due.c.campaign_id == campaign_id)
        )
    )
    made = _calls_made(connection, campaign_id)
    known = Directory.load(connection).by_id()
    found = [
        _entry(name, known.get(name), made.get(name, []), row, now)
        for name in left
        if everybody or name in listed
    ]
    return sorted(found, key=lambda entry: not entry["open_now"])


def record_call(
    connection: Connection, said: Said, result: CallResult, *, contact: int | None, now: datetime
) -> bool:
    """Record a call; whether it settled the recipient.

    ``contact`` is the number of the contact from 1, the one of the call list by default.

    Raises:
        NotFound: no such campaign, recipient or contact.
        Refused: ``settled``, there is nothing to phone about; ``no-reason`` or ``bad-reason``.
    """
    note = stated_reason(
        said.reason, missing="say with --note what came of the call, and with whom"
    )
    _require_open(connection, said)
    recipient = Directory.load(connection).by_id().get(said.recipient_id)
    made = _calls_made(connection, said.campaign_id).get(said.recipient_id, [])
    number = _to_call(recipient, made, now) if contact is None else contact - 1
    if number is None and contact is None and recipient is not None:
        raise NotFound(
            f"no contact of {said.recipient_id} has a telephone number: say with --contact which one "
            "you spoke with, from 1"
        )
    if number is None or recipient is None or not 0 <= number < len(recipient.contacts):
        raise NotFound(
            f"the directory has no such contact of {said.recipient_id}: give its number from 1 with "
            "--contact, or settle it with 'leerp campaign settle'"
        )
    connection.execute(
        insert(call).values(
            campaign_id=said.campaign_id,
            recipient_id=said.recipient_id,
            contact=number,
            result=result,
            note=note,
            by=said.officer,
            at=now,
        )
    )
    _audit(connection, "recipient_called", said, result=result, contact=number)
    if result is not CallResult.REACHED:
        return False
    _settle(connection, said, Proof.PHONE, note, now)
    return True


def settle(connection: Connection, said: Said, now: datetime) -> None:
    """Record an officer's word for what became of a recipient that sent none.

    Raises:
        NotFound: no such campaign, or it has no mail to this recipient.
        Refused: ``settled``; ``no-reason`` or ``bad-reason``.
    """
    reason = stated_reason(said.reason, missing="say with --reason what became of this recipient")
    _require_open(connection, said)
    _settle(connection, said, Proof.OFFICER, reason, now)


def _settle(connection: Connection, said: Said, proof: Proof, reason: str, now: datetime) -> None:
    connection.execute(
        insert(settlement).values(
            campaign_id=said.campaign_id,
            recipient_id=said.recipient_id,
            proof=proof,
            by=said.officer,
            at=now,
            reason=reason,
        )
    )
    _audit(connection, "recipient_settled", said, proof=proof)
    connection.execute(insert(relay).values(kind="campaign", target=said.campaign_id, done=False))


def _require_open(connection: Connection, said: Said) -> None:
    _campaign(connection, said.campaign_id)
    mails = connection.scalar(
        select(notification.c.id)
        .where(
            notification.c.campaign_id == said.campaign_id,
            notification.c.recipient_id == said.recipient_id,
        )
        .limit(1)
    )
    if mails is None:
        raise NotFound(
            f"{said.campaign_id} has no mail to {said.recipient_id}: see 'leerp campaign show "
            f"{said.campaign_id}'"
        )
    if said.recipient_id in settled(connection, said.campaign_id):
        raise Refused("settled", f"{said.recipient_id} is settled already: nothing is left to say")


def _campaign(connection: Connection, campaign_id: str) -> RowMapping:
    row = (
        connection.execute(
            select(campaign.c.id, campaign.c.at, campaign.c.exercise).where(
                campaign.c.id == campaign_id
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(f"no campaign {campaign_id}: see 'leerp campaign list'")
    return row


def _calls_made(connection: Connection, campaign_id: str) -> dict[str, list[RowMapping]]:
    """By recipient, in the order in which they were made."""
    made: dict[str, list[RowMapping]] = {}
    query = select(call).where(call.c.campaign_id == campaign_id).order_by(call.c.id)
    for row in connection.execute(query).mappings():
        made.setdefault(row["recipient_id"], []).append(row)
    return made


def _to_call(recipient: Recipient | None, made: list[RowMapping], now: datetime) -> int | None:
    """The contact to phone: one with a number that is right, with somebody there, called least."""
    wrong = {row["contact"] for row in made if row["result"] == CallResult.WRONG_NUMBER}
    times = [row["contact"] for row in made]
    candidates = [
        (not contact.is_open_at(now), times.count(number), number)
        for number, contact in enumerate(recipient.contacts if recipient else ())
        if contact.phone and number not in wrong
    ]
    return min(candidates)[-1] if candidates else None


def _entry(
    name: str,
    recipient: Recipient | None,
    made: list[RowMapping],
    notice: RowMapping,
    now: datetime,
) -> dict[str, Any]:
    number = _to_call(recipient, made, now)
    contact = recipient.contacts[number] if recipient and number is not None else None
    last = made[-1] if made else None
    return {
        "recipient": name,
        "organisation": recipient.organisation if recipient else "",
        "country": (recipient.country if recipient else None) or "-",
        "contact": None if number is None else number + 1,
        "name": contact.name if contact else "",
        "phone": contact.phone if contact else "no number: settle it by another way",
        "local_time": f"{now.astimezone(ZoneInfo(contact.time_zone)):%a %H:%M}" if contact else "",
        "open_now": contact is not None and contact.is_open_at(now),
        "languages": list(contact.languages) if contact else [],
        "calls": len(made),
        "last": f"{last['result']} ({last['by']})" if last else "",
        "say": call_text(contact, notice["at"], exercise=notice["exercise"]) if contact else "",
    }


def call_text(contact: Contact, at: datetime, *, exercise: bool) -> str:
    """What to say on the phone: as little as a nudge, for the line is open."""
    words = phrases(choose_language(contact.languages))["call"].format(time=f"{at:%H:%M}")
    return f"EXERCISE. {words} EXERCISE." if exercise else words


def _audit(connection: Connection, event: str, said: Said, **detail: Any) -> None:
    """Without the officer's words: they name people."""
    audit.append(
        connection,
        event,
        actor=said.officer,
        subject=said.campaign_id,
        channel=said.channel,
        recipient=said.recipient_id,
        **detail,
    )
