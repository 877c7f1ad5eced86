"""What is said to the relay before a mail: from whom, to whom, and how notices about it come back.

Each mail has a token that names its row and is sealed with our key. It stands in the address that
bounces go to (VERP) where the settings have one, and in the envelope id (RFC 3461) where the relay
offers delivery notices. Only who had the mail in hand knows its token, so a notice that carries none, or
an altered one, tells nothing. Source: reliability 2.3, 5.2, F-M12; RFC 3461, RFC 8689.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass

from protocol.errors import Refused

ID_BYTES = 16
MAC_BYTES = 16
TOKEN = re.compile(r"[a-z2-7]{52}")
"""Base32 of row id and MAC, in small letters: it survives servers that change the case of addresses."""
PURPOSE = b"leerp-bounce/1\x00"
DSN, REQUIRETLS, PIPELINING = "DSN", "REQUIRETLS", "PIPELINING"
PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")
"""An address that says nothing else to a server than where to send; no quotes, brackets or spaces."""
XTEXT = re.compile(r"[+=]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail and how it is to be sent."""

    to: str
    raw: bytes
    token: str
    requiretls: bool = False


def make_token(key: bytes, notification_id: str) -> str:
    """The token of a row, whose id is 32 hexadecimal digits: 52 characters, of which 128 bits are MAC."""
    row = bytes.fromhex(notification_id)
    return base64.b32encode(row + _mac(key, row)).decode().rstrip("=").lower()


def read_token(key: bytes, text: str) -> str | None:
    """The id of the row that this token was made for; None when it was not made by us."""
    token = text.strip().lower()
    if not TOKEN.fullmatch(token):
        return None
    try:
        made = base64.b32decode(token.upper() + "====")
    except binascii.Error:  # bits beyond the last byte
        return None
    row, mac = made[:ID_BYTES], made[ID_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, row)):
        return None
    return row.hex()


def bounce_address(bounces: str, token: str) -> str:
    """The address that notices about one mail go to."""
    local, _, domain = bounces.partition("@")
    return f"{local}+{token}@{domain}"


def token_of_address(address: str) -> str:
    """What stands after the plus of an address, or nothing."""
    return address.partition("@")[0].partition("+")[2]


def require_plain(address: str) -> None:
    """Make sure that an address can stand in an SMTP command.

    Raises:
        Refused: it holds what a server could read as something else.
    """
    if not PLAIN.fullmatch(address):
        raise Refused("bad-address", "the address cannot be used in mail: correct it")


def require_whole_lines(raw: bytes) -> None:
    """Make sure that no server can see the end of the mail, or another mail, where there is none.

    Raises:
        Refused: a line break is not CR LF.
    """
    # As many of each as of both together: then none stands alone. Counting is a hundred times quicker
    # than a search by pattern, and every mail is gone through.
    whole = raw.count(b"\r\n")
    if not (raw.count(b"\r") == raw.count(b"\n") == whole and raw.endswith(b"\r\n")):
        raise Refused("bare-newline", "the mail has a broken line end: report this as a defect")


def commands(
    letter: Letter, *, sender: str, bounces: str, offers: Collection[str]
) -> tuple[bytes, bytes]:
    """MAIL and RCPT for this letter, without line ends, to a relay with these extensions.

    Raises:
        Refused: an address cannot stand in a command.
    """
    origin = bounce_address(bounces, letter.token) if bounces else sender
    for address in (origin, letter.to):
        require_plain(address)
    mail, rcpt = f"MAIL FROM:<{origin}>", f"RCPT TO:<{letter.to}>"
    if DSN in offers:
        mail += f" RET=HDRS ENVID={letter.token}"
        rcpt += f" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{_xtext(letter.to)}"
    if letter.requiretls:
        mail += " REQUIRETLS"
    return mail.encode("ascii"), rcpt.encode("ascii")


def _xtext(address: str) -> str:
    return XTEXT.sub(lambda found: f"+{ord(found[0]):02X}", address)


def _mac(key: bytes, row: bytes) -> bytes:
    # Not ``hmac.digest``: for a few bytes it lets another thread go first, and waits until it is through.
    return hmac.new(key, PURPOSE + row, hashlib.sha256).digest()[:MAC_BYTES]
