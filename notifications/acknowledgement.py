"""Acknowledgement by link: the token in the mail, and what its use writes down.

A token says no more than that somebody could read the mail: access to a mailbox, not a person
(reliability 5.1, ASVS 6.3.6). It is bound to campaign, recipient, contact, revision and expiry. The
first use of any token of a recipient counts, whether of the notice, its reminder, or the second
contact's. Source: domain 5.3 section 1; reliability 4.2, F-A1 to F-A5.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from infra import audit
from infra.database import Database
from infra.tables import acknowledgement, notification, relay
from protocol.errors import Refused

MIN_KEY_BYTES = 16
TOKEN = re.compile(r"(?P<id>[0-9a-zA-Z_-]{1,32})\.(?P<expiry>[0-9]{1,12})\.[A-Za-z0-9_-]{43}")
BOUND = ("id", "campaign_id", "recipient_id", "contact", "revision")
"""What a token is bound to, besides its expiry."""


class InvalidToken(Refused):
    """A token that is malformed, altered, expired or unknown: one answer for all of it."""

    def __init__(self) -> None:
        super().__init__(
            "invalid-token",
            "This link is not valid, or no longer. Use the link in the newest mail, or phone the "
            "coordination centre named in the notice.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The answer to an acknowledgement; the same for the first and for every repeat, but ``first``."""

    first: bool
    at: datetime
    campaign_id: str
    recipient_id: str
    notification_id: str


def make_token(
    key: bytes,
    *,
    notification_id: str,
    campaign_id: str,
    recipient_id: str,
    contact: int,
    revision: int,
    expires_at: datetime,
) -> str:
    """``<notification id>.<expiry in Unix seconds>.<HMAC-SHA256, base64url>``."""
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"the acknowledgement key must have {MIN_KEY_BYTES} bytes or more")
    expiry = int(expires_at.timestamp())
    # JSON keeps the parts apart whatever characters they hold.
    bound = json.dumps([notification_id, campaign_id, recipient_id, contact, revision, expiry])
    mac = hmac.digest(key, b"leerp-ack/1\x00" + bound.encode(), hashlib.sha256)
    return f"{notification_id}.{expiry}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def read_token(connection: Connection, key: bytes, token: str, now: datetime) -> Row[Any]:
    """The notification that the token was made for.

    Raises:
        InvalidToken: anything is wrong with it.
    """
    parts = TOKEN.fullmatch(token)
    if parts is None:
        raise InvalidToken
    row = connection.execute(
        select(*(notification.c[name] for name in BOUND)).where(notification.c.id == parts["id"])
    ).one_or_none()
    # An unknown id is put through the same steps, so that time tells nothing about it.
    campaign_id, recipient_id, contact, revision = row[1:] if row is not None else ("", "", 0, 0)
    expires_at = datetime.fromtimestamp(int(parts["expiry"]), UTC)
    expected = make_token(
        key,
        notification_id=parts["id"],
        campaign_id=campaign_id,
        recipient_id=recipient_id,
        contact=contact,
        revision=revision,
        expires_at=expires_at,
    )
    # The whole token is compared as text: a MAC in other base64 spelling is another token.
    genuine = hmac.compare_digest(expected.encode(), token.encode())
    if row is None or not genuine or now >= expires_at:
        raise InvalidToken
    return row


def acknowledge(database: Database, key: bytes, token: str, now: datetime) -> Acknowledged:
    """Record the acknowledgement in a transaction of its own; see ``acknowledge_in``."""
    with database.write() as connection:
        return acknowledge_in(database, connection, key, token, now)


def acknowledge_in(
    database: Database, connection: Connection, key: bytes, token: str, now: datetime
) -> Acknowledged:
    """Record the acknowledgement, its audit row and its relay row in the caller's transaction.

    Counts once for each recipient of a campaign, also when the mail is not yet marked as accepted; a
    repeat is counted, audited, and answered alike.

    Raises:
        InvalidToken: anything is wrong with the token; nothing is written.
    """
    row = read_token(connection, key, token, now)
    added = connection.execute(
        database.insert_new(acknowledgement).values(
            campaign_id=row.campaign_id,
            recipient_id=row.recipient_id,
            notification_id=row.id,
            contact=row.contact,
            at=now,
            repeats=0,
        )
    )
    first = added.rowcount == 1
    if first:
        connection.execute(
            insert(relay).values(kind="campaign", target=row.campaign_id, done=False)
        )
    else:
        connection.execute(
            update(acknowledgement)
            .where(
                acknowledgement.c.campaign_id == row.campaign_id,
                acknowledgement.c.recipient_id == row.recipient_id,
            )
            .values(repeats=acknowledgement.c.repeats + 1)
        )
    audit.append(
        connection,
        "notice_acknowledged" if first else "acknowledgement_repeated",
        actor=row.recipient_id,
        subject=row.campaign_id,
        channel="mail-link",
        notification=row.id,
        contact=row.contact,
        revision=row.revision,
    )
    at = acknowledged_at(connection, row.campaign_id, row.recipient_id)
    return Acknowledged(
        first=first,
        at=at or now,
        campaign_id=row.campaign_id,
        recipient_id=row.recipient_id,
        notification_id=row.id,
    )


def acknowledged_at(connection: Connection, campaign_id: str, recipient_id: str) -> datetime | None:
    """When this recipient acknowledged this campaign, or None."""
    return connection.scalar(
        select(acknowledgement.c.at).where(
            acknowledgement.c.campaign_id == campaign_id,
            acknowledgement.c.recipient_id == recipient_id,
        )
    )
