"""A signed reply counts as an acknowledgement: proof of the contact's registered key.

The reply must name one of our mails, be signed by a key of a contact of its recipient, after the notice
was made, and no signed entity counts for a second mail of ours: the headers outside are signed by nobody.
All else is noted and not counted; the person at the desk is not answered by a machine.
Source: issue 7, item 6; domain 5.3 section 1.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import Message
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from infra import audit
from infra.database import Database
from infra.tables import campaign, notification
from infra.tables_acknowledgement import signed_reply
from notifications.acknowledgement import record_words
from notifications.acknowledgement_book import Word
from notifications.answers import Given, Proof
from notifications.directory import Contact, Directory
from notifications.signed_mail import Signed, Unsigned, parsed, read_signed, signed_at

ACTOR = "inbox"
MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,200}>")
MOST_REFERENCES = 50
SLOW_CLOCKS = timedelta(minutes=5)


class ReplyFate(StrEnum):
    """What became of a mail that came in."""

    COUNTED = "counted"
    REPEATED = "repeated"
    """It was counted before, or its recipient had acknowledged."""
    STRANGER = "stranger"
    """It answers no mail of ours."""
    AUTOMATIC = "automatic"
    """A machine wrote it."""
    UNSIGNED = "unsigned"
    """Or encrypted: nothing is decrypted here."""
    WRONG_SIGNER = "wrong-signer"
    """No registered key of the recipient signed it, or it was altered."""
    TOO_OLD = "too-old"
    """Signed before the notice was made."""
    REUSED = "reused"
    """The signed part has counted for another mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a mail was; the notification is empty for a stranger's."""

    fate: ReplyFate
    notification_id: str = ""


def take_reply(database: Database, connection: Connection, raw: bytes, now: datetime) -> Reply:
    """Read a mail that came in and record what it is, in the caller's transaction.

    Only ``counted`` acknowledges. Bytes from anybody raise nothing. A mail that answers none of ours is
    not written down: it may be a notice of a relay, or anything.
    """
    message = parsed(raw[:MAX_HEADERS])
    try:
        signed = read_signed(raw)
    except Unsigned:
        signed = None
    row = _answered(connection, message, signed)
    if row is None:
        return Reply(fate=ReplyFate.STRANGER)
    fate = ReplyFate.AUTOMATIC
    if not _automatic(message):
        fate = _fate(database, connection, signed, row, now)
    if fate is not ReplyFate.COUNTED:
        audit.append(
            connection,
            "reply_not_counted",
            actor=ACTOR,
            subject=row.campaign_id,
            channel="mail",
            notification=row.id,
            reason=fate,
        )
    return Reply(fate=fate, notification_id=row.id)


MAX_HEADERS = 100_000
"""Of a mail that is read for its headers only."""


def _answered(connection: Connection, message: Message, signed: Signed | None) -> Row[Any] | None:
    """The newest of our mails that it answers: what is signed says so, or else the headers outside."""
    named = _references(parsed(signed.entity[:MAX_HEADERS])) if signed else []
    named = named or _references(message)
    return connection.execute(
        select(notification, campaign.c.at.label("made_at"))
        .join(campaign, campaign.c.id == notification.c.campaign_id)
        .where(notification.c.message_id.in_(named))
        .order_by(notification.c.cursor.desc())
        .limit(1)
    ).one_or_none()


def _references(message: Message) -> list[str]:
    found: list[str] = []
    for name in ("In-Reply-To", "References"):
        for value in message.get_all(name, []):
            found += MESSAGE_ID.findall(str(value))
    return found[-MOST_REFERENCES:]


def _fate(
    database: Database, connection: Connection, signed: Signed | None, row: Row[Any], now: datetime
) -> ReplyFate:
    if signed is None:
        return ReplyFate.UNSIGNED
    recipient = Directory.load(connection).by_id().get(row.recipient_id)
    at = _signed_by_any(signed, recipient.contacts if recipient else ())
    if at is None:
        return ReplyFate.WRONG_SIGNER
    if at < row.made_at - SLOW_CLOCKS:
        return ReplyFate.TOO_OLD
    # Entity and time are what the signature vouches for; its own bytes can be written in other ways.
    digest = hashlib.sha256(signed.entity + at.isoformat().encode()).hexdigest()
    return _count(database, connection, digest, row, now)


def _signed_by_any(signed: Signed, contacts: tuple[Contact, ...]) -> datetime | None:
    certificates = [found for contact in contacts if (found := contact.x509()) is not None]
    keys = [contact.openpgp_key for contact in contacts if contact.openpgp_key]
    return signed_at(signed, certificates, keys)


def _automatic(message: Message) -> bool:
    """Whether a machine wrote it, such as a note of absence (RFC 3834)."""
    submitted = str(message.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    bulk = str(message.get("Precedence", "")).strip().lower() in {"bulk", "junk", "auto_reply"}
    return submitted != "no" or bulk or message.get_content_type() == "multipart/report"


def _count(
    database: Database, connection: Connection, digest: str, row: Row[Any], now: datetime
) -> ReplyFate:
    added = connection.scalar(
        database.insert_new(signed_reply)
        .values(sha256=digest, notification_id=row.id, at=now)
        .returning(signed_reply.c.sha256)
    )
    if added is None:
        before = connection.scalar(
            select(signed_reply.c.notification_id).where(signed_reply.c.sha256 == digest)
        )
        return ReplyFate.REPEATED if before == row.id else ReplyFate.REUSED
    word = Word.of(row, Given(), Proof.SIGNED_REPLY)
    (done,) = record_words(database, connection, [word], now)
    return ReplyFate.COUNTED if done.first else ReplyFate.REPEATED
