"""Notices that mail servers send back about our mails: read as hostile content, matched by token only.

A notice counts only if it carries a token of ours, in the address it was sent to or as envelope id; what
its subject or text says matches nothing. It can move a mail from ``accepted`` or ``unknown`` to
``bounced``; a delay or a receipt is noted beside the mail and changes no state. The same notice twice
is one. Who has a mail in hand can forge a notice about that one mail, and no other.
Source: RFC 3464; reliability 2.3, F-M12.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from enum import StrEnum
from itertools import islice

from sqlalchemy import Connection, func, insert, select, update

from infra import audit
from infra.tables import notification
from infra.tables_delivery import delivery_notice
from notifications.envelopes import read_token, token_of_address
from notifications.outbox import State

ACTOR = "bounces"
MAX_BYTES = 262_144
"""Of a notice so much is read: what it says of the mail stands before the mail that it gives back."""
MAX_PARTS = 50
MAX_GROUPS = 20
MAX_REASON = 300
MAX_FOR_ONE = 20
"""Notices about one mail that are kept."""
TO_HEADERS = ("delivered-to", "x-original-to", "x-envelope-to", "to")
ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,11}\+[A-Za-z2-7]{52}@")
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
BOUNCED_FROM = (State.ACCEPTED, State.UNKNOWN)


class Kind(StrEnum):
    """What a notice says became of the mail."""

    BOUNCED = "bounced"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    OTHER = "other"
    """Something came to the mail's own address that is no delivery notice, such as an absence note."""


WORST_FIRST = (Kind.BOUNCED, Kind.DELAYED, Kind.DELIVERED)
ACTIONS = {
    "failed": Kind.BOUNCED,
    "delayed": Kind.DELAYED,
    "delivered": Kind.DELIVERED,
    "relayed": Kind.DELIVERED,
    "expanded": Kind.DELIVERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice whose token is ours."""

    sha256: str
    notification_id: str
    kind: Kind
    status: str
    """RFC 3463, such as 5.1.1; empty when the notice has none."""
    reason: str
    """The server's words, one line of printable characters; hostile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a round of mail came to; ``foreign`` is what has to do with no mail of ours.

    ``acknowledged`` are signed replies that counted, ``uncounted`` the other replies.
    """

    bounced: int = 0
    delayed: int = 0
    delivered: int = 0
    other: int = 0
    repeated: int = 0
    foreign: int = 0
    acknowledged: int = 0
    uncounted: int = 0


def read_notice(raw: bytes, key: bytes) -> Notice | None:
    """The notice in these bytes; None unless exactly one of our mails is named by a valid token.

    Never raises for what the bytes hold. More than 256 kB are not looked at.
    """
    head = raw[:MAX_BYTES]
    try:
        message = BytesParser(policy=compat32).parsebytes(head)
        groups = list(_groups(message))
        named = {
            found
            for token in islice(_tokens(message, groups), MAX_PARTS)
            if (found := read_token(key, token)) is not None
        }
        if len(named) != 1:
            return None
        kind, status, reason = _verdict(groups)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return None  # what the library stumbles over is none of a mail server's notices
    return Notice(
        sha256=hashlib.sha256(head).hexdigest(),
        notification_id=named.pop(),
        kind=kind,
        status=status,
        reason=reason,
    )


def take_notices(connection: Connection, notices: Sequence[Notice | None], now: datetime) -> Read:
    """Write down what the notices say, with an audit row for each that is new; None is a foreign one.

    Harmless when repeated: a notice is known by its bytes.
    """
    counts: dict[str, int] = dict.fromkeys(Read.__dataclass_fields__, 0)
    for notice in notices:
        if notice is None:
            counts["foreign"] += 1
        else:
            counts[_take(connection, notice, now)] += 1
    return Read(**counts)


def notices_of(connection: Connection, notification_ids: Iterable[str]) -> list[dict[str, object]]:
    """What came back about these mails, in order of time."""
    rows = connection.execute(
        select(delivery_notice)
        .where(delivery_notice.c.notification_id.in_(list(notification_ids)))
        .order_by(delivery_notice.c.at, delivery_notice.c.sha256)
    ).mappings()
    return [dict(row) for row in rows]


def _take(connection: Connection, notice: Notice, now: datetime) -> str:
    """Under which heading it counts."""
    mail = connection.execute(
        select(notification.c.id, notification.c.campaign_id, notification.c.state)
        .where(notification.c.id == notice.notification_id)
        .with_for_update()
    ).one_or_none()
    if mail is None:
        return "foreign"  # of another home with the same key
    mine = delivery_notice.c.notification_id == mail.id
    known = set(connection.scalars(select(delivery_notice.c.sha256).where(mine)))
    elsewhere = connection.scalar(
        select(func.count()).where(delivery_notice.c.sha256 == notice.sha256)
    )
    moved = notice.kind is Kind.BOUNCED and State(mail.state) in BOUNCED_FROM
    if notice.sha256 in known or elsewhere or (len(known) >= MAX_FOR_ONE and not moved):
        return "repeated"
    connection.execute(
        insert(delivery_notice).values(
            sha256=notice.sha256,
            notification_id=mail.id,
            kind=notice.kind,
            status=notice.status,
            reason=notice.reason,
            at=now,
        )
    )
    if moved:
        connection.execute(
            update(notification)
            .where(notification.c.id == mail.id, notification.c.state == mail.state)
            .values(state=State.BOUNCED, reason=_words(notice), due_at=None)
        )
    audit.append(
        connection,
        f"mail_{notice.kind}" if notice.kind is not Kind.OTHER else "mail_answered",
        actor=ACTOR,
        subject=mail.campaign_id,
        channel="mail",
        notification=mail.id,
        status=notice.status,
        before=mail.state,
        moved=moved,
    )
    return str(notice.kind)


def _words(notice: Notice) -> str:
    said = " ".join(part for part in (notice.status, notice.reason) if part)
    return f"given back by a server: {said or 'without a reason'}"


def _groups(message: Message) -> Iterator[Message]:
    """The groups of fields of the delivery status: first that of the message, then of recipients."""
    for part in islice(message.walk(), MAX_PARTS):
        if part.get_content_type() == "message/delivery-status":
            content = part.get_payload()
            if isinstance(content, list):
                yield from (each for each in content[: MAX_GROUPS + 1] if isinstance(each, Message))
            return


def _tokens(message: Message, groups: Sequence[Message]) -> Iterator[str]:
    for name in TO_HEADERS:
        for value in message.get_all(name, [])[:MAX_PARTS]:
            for found in ADDRESS.finditer(str(value)):
                yield token_of_address(found[0])
    for group in groups[:1]:
        yield str(group.get("original-envelope-id", ""))


def _verdict(groups: Sequence[Message]) -> tuple[Kind, str, str]:
    """The worst that is said of any recipient: one of ours has one, whoever it was passed on to."""
    said: dict[Kind, tuple[str, str]] = {}
    for group in groups[1:]:
        kind = ACTIONS.get(str(group.get("action", "")).strip().lower())
        if kind is not None:
            found = STATUS.search(str(group.get("status", "")))
            said.setdefault(kind, (found[0] if found else "", _reason(group)))
    for kind in WORST_FIRST:
        if kind in said:
            return kind, *said[kind]
    return Kind.OTHER, "", ""


def _reason(group: Message) -> str:
    text = str(group.get("diagnostic-code", ""))[: 4 * MAX_REASON]
    printable = "".join(ch if ch.isprintable() else " " for ch in text)
    return " ".join(printable.split())[:MAX_REASON]
