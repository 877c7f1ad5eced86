"""The mail of one notification, as the bytes that every attempt sends.

Outside there is nothing but a neutral subject; the true one stands inside the signed part, as protected
header (RFC 9788). The few headers are written by hand: Python's mail library folds them wrongly and lets
an encoded word add a header (reliability 0.10, 1.4). Source: domain 4.4 (nothing above PUBLIC in clear).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from cryptography import x509

from notifications.directory import Contact
from notifications.headers import safe_header
from notifications.rendering import Rendered
from notifications.smime import SEALED_HEADERS, Signer, base64_lines, require_usable, seal, sign
from protocol.errors import Refused
from protocol.markings import Classification, Marking

NEUTRAL_SUBJECT = "LEERP notice"
EXERCISE_PREFIX = "EXERCISE - "


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What stands on the outside of a mail, and the id inside it."""

    notification_id: str
    message_id: str
    """With its angle brackets."""
    sender: str
    to: str
    date: datetime
    exercise: bool
    in_reply_to: str | None = None
    """Message-ID of the first mail of the notice to this contact, for a reminder."""

    def headers(self, subject: str) -> list[tuple[str, str]]:
        """The header fields in their order, with values that are safe to write."""
        fields = [
            ("From", self.sender),
            ("To", self.to),
            ("Date", format_datetime(self.date)),
            ("Subject", subject),
            ("Message-ID", self.message_id),
        ]
        if self.in_reply_to is not None:
            fields += [("In-Reply-To", self.in_reply_to), ("References", self.in_reply_to)]
        return [(name, _encoded(safe_header(value))) for name, value in fields]

    @property
    def neutral_subject(self) -> str:
        return (EXERCISE_PREFIX if self.exercise else "") + NEUTRAL_SUBJECT


def build(
    rendered: Rendered, envelope: Envelope, *, marking: Marking, contact: Contact, signer: Signer
) -> bytes:
    """The whole mail, CRLF line ends throughout; signed always, encrypted whenever there is a key.

    What is PUBLIC, such as the bare fact of a closure, goes out in clear to whom no key is usable.

    Raises:
        Refused: the content is above PUBLIC and cannot be encrypted to this contact at
            ``envelope.date``.
    """
    certificate = _usable_certificate(marking, contact, envelope.date)
    outside = envelope.headers(envelope.neutral_subject)
    inner = _inner(rendered, envelope, outside, encrypted=certificate is not None)
    top = _lines([*outside, ("Auto-Submitted", "auto-generated"), ("MIME-Version", "1.0")])
    if certificate is None:
        return top + sign(inner, signer)
    return top + SEALED_HEADERS + b"\r\n" + seal(inner, signer, certificate)


def _usable_certificate(
    marking: Marking, contact: Contact, at: datetime
) -> x509.Certificate | None:
    certificate = contact.x509()
    public = marking.classification is Classification.PUBLIC
    if certificate is None:
        if public:
            return None
        raise Refused(
            "no-certificate",
            "nothing above PUBLIC is sent in clear: import a certificate for this contact",
        )
    try:
        require_usable(certificate, at)
    except Refused:
        if public:
            return None
        raise
    return certificate


def _inner(
    rendered: Rendered, envelope: Envelope, outside: list[tuple[str, str]], *, encrypted: bool
) -> bytes:
    boundary = secrets.token_hex(16)
    protection = "cipher" if encrypted else "clear"
    subject = rendered.subject
    if envelope.exercise and not subject.startswith("EXERCISE"):
        subject = EXERCISE_PREFIX + subject
    fields = [
        (
            "Content-Type",
            f'multipart/alternative; boundary="{boundary}"; hp="{protection}"',
        ),
        *envelope.headers(subject),
        ("X-LEERP-Notification", _encoded(safe_header(envelope.notification_id))),
    ]
    if encrypted:  # what the outside showed, so that the reader's software can tell them apart
        fields += [("HP-Outer", f"{name}: {value}") for name, value in outside]
    mark = boundary.encode()
    return b"".join(
        (
            _lines(fields),
            b"\r\n",
            _part(mark, b"text/plain", rendered.text),
            _part(mark, b"text/html", rendered.html),
            b"--" + mark + b"--\r\n",
        )
    )


def _part(boundary: bytes, media_type: bytes, text: str) -> bytes:
    canonical = "\r\n".join(text.splitlines()) + "\r\n"
    return b"".join(
        (
            b"--" + boundary + b"\r\nContent-Type: " + media_type + b"; charset=utf-8\r\n",
            b"Content-Transfer-Encoding: base64\r\n\r\n",
            base64_lines(canonical.encode()),
        )
    )


def _lines(fields: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("ascii")


def _encoded(value: str) -> str:
    """ASCII as it is; anything else as encoded words of our own making (RFC 2047)."""
    if value.isascii():
        return value
    return Header(value, "utf-8").encode(linesep="\r\n")
