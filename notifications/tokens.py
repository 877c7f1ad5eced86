"""The token in the link of a mail: what it is bound to, and how it is checked.

A token says no more than that somebody could read the mail: access to a mailbox, not a person
(reliability 5.1, ASVS 6.3.6). It ends in two seals of 132 bits each that nobody can guess. The first is
of the token's own text, and without it nothing is looked up: how long an answer takes tells nothing about
what there is. The second binds it to campaign, recipient, contact, revision and expiry.
Source: reliability 4.2, F-A3 and F-A4.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from infra.tables import notification
from notifications.outbox import Claim
from protocol.errors import Refused

MIN_KEY_BYTES = 16
TAG_CHARACTERS, SEAL_CHARACTERS = 8, 22
TOKEN = re.compile(
    r"(?P<tag>[A-Za-z0-9_-]{8})\.(?P<id>[0-9a-zA-Z_-]{1,32})\.(?P<expiry>[0-9]{1,12})"
    r"\.[A-Za-z0-9_-]{22}(?P<bound>[A-Za-z0-9_-]{22})"
)
BOUND = ("id", "campaign_id", "recipient_id", "contact", "revision")
"""What a token is bound to, besides its expiry."""
_BOUND_ROWS = select(*(notification.c[name] for name in BOUND)).where(
    notification.c.id.in_(bindparam("ids", expanding=True))
)


class InvalidToken(Refused):
    """A token that is malformed, altered, expired or unknown: one answer for all of it."""

    def __init__(self) -> None:
        super().__init__(
            "invalid-token",
            "This link is not valid, or no longer. Use the link in the newest mail, or phone the "
            "coordination centre named in the notice.",
        )


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
    """``<tag of the campaign>.<notification id>.<expiry in Unix seconds>.<two seals>``.

    Seals are of HMAC-SHA256, in base64url.
    """
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"the acknowledgement key must have {MIN_KEY_BYTES} bytes or more")
    bound = (campaign_id, recipient_id, contact, revision)
    return _made(key, notification_id, bound, int(expires_at.timestamp()))


def token_for(key: bytes, claim: Claim, *, expires_at: datetime) -> str:
    """The token of the mail that is claimed."""
    return make_token(
        key,
        notification_id=claim.id,
        campaign_id=claim.campaign_id,
        recipient_id=claim.recipient_id,
        contact=claim.contact,
        revision=claim.revision,
        expires_at=expires_at,
    )


def campaign_tag(token: str) -> str:
    """Which campaign a token claims to be of, in the form that any token has; else an empty string.

    Guesses are counted by it. It says nothing about whether there is such a campaign.
    """
    parts = TOKEN.fullmatch(token)
    return parts["tag"] if parts else ""


def read_token(connection: Connection, key: bytes, token: str, now: datetime) -> Row[Any]:
    """The notification that the token was made for.

    Raises:
        InvalidToken: anything is wrong with it.
    """
    (found,) = read_tokens(connection, key, [token], now)
    if isinstance(found, InvalidToken):
        raise found
    return found


def read_tokens(
    connection: Connection, key: bytes, tokens: Sequence[str], now: datetime
) -> list[Row[Any] | InvalidToken]:
    """For each token its notification, or that it is not valid; in their order, by one look."""
    parts = [_sealed_by_us(key, token) for token in tokens]
    ids = {part["id"] for part in parts if part}
    rows: Mapping[str, Row[Any]] = {}
    if ids:
        found = connection.execute(_BOUND_ROWS, {"ids": sorted(ids)})
        rows = {row.id: row for row in found}
    return [_checked(key, part, rows, now) for part in parts]


def _sealed_by_us(key: bytes, token: str) -> re.Match[str] | None:
    """The parts of a token that bears our seal, in the same steps whatever the text is."""
    text, _, seals = token.rpartition(".")
    given = seals[:SEAL_CHARACTERS].encode(errors="surrogatepass")
    if not hmac.compare_digest(_seal(key, "leerp-link/1", text).encode(), given):
        return None
    return TOKEN.fullmatch(token)


def _checked(
    key: bytes, parts: re.Match[str] | None, rows: Mapping[str, Row[Any]], now: datetime
) -> Row[Any] | InvalidToken:
    row = rows.get(parts["id"]) if parts else None
    if parts is None or row is None:
        return InvalidToken()
    # As text: a seal in other base64 spelling is another token.
    expected = _bound(key, row.id, row[1:], int(parts["expiry"]))
    genuine = hmac.compare_digest(expected.encode(), parts["bound"].encode())
    if not genuine or now >= datetime.fromtimestamp(int(parts["expiry"]), UTC):
        return InvalidToken()
    return row


def _made(key: bytes, notification_id: str, bound: Sequence[Any], expiry: int) -> str:
    tag = _seal(key, "leerp-campaign/1", str(bound[0]))[:TAG_CHARACTERS]
    text = f"{tag}.{notification_id}.{expiry}"
    seal = _seal(key, "leerp-link/1", text)
    return f"{text}.{seal}{_bound(key, notification_id, bound, expiry)}"


def _bound(key: bytes, notification_id: str, bound: Sequence[Any], expiry: int) -> str:
    # JSON keeps the parts apart whatever characters they hold.
    return _seal(key, "leerp-ack/1", json.dumps([notification_id, *bound, expiry]))


def _seal(key: bytes, purpose: str, text: str) -> str:
    # Not ``hmac.digest``: for a few bytes it lets another thread go first, and waits until it is through.
    said = f"{purpose}\x00{text}".encode(errors="surrogatepass")
    mac = hmac.new(key, said, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac)[:SEAL_CHARACTERS].decode()
