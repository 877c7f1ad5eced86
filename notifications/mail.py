"""The mail of one notification, as the bytes that every attempt sends.

Outside stand the marking and a reference, nothing of the content; the true subject stands inside the
signed part, as protected header (RFC 9788). The few headers are written by hand: Python's mail library
folds them wrongly and lets an encoded word add a header (reliability 0.10, 1.4).
Source: R31; domain 4.3 (the label stands in the subject), 4.4 (nothing above PUBLIC in clear).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from notifications.directory import Contact
from notifications.headers import header_lines, header_value
from notifications.protection import Protection, choose
from notifications.rendering import Attachment, Rendered
from notifications.smime import Signer, base64_lines
from notifications.template_names import TemplateUnfit
from notifications.trust import PINNED, Trust
from protocol.markings import Classification, Marking

NEUTRAL_SUBJECT = "LEERP notice"
EXERCISE_PREFIX = "EXERCISE - "
ANY_TYPE = "application/octet-stream"
MAX_NAME = 80
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")

Fields = list[tuple[str, str]]


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
    reference: str = ""
    """Of the notice, or the incident's number: it says nothing of the content."""
    in_reply_to: str | None = None
    """Message-ID of the first mail of the notice to this contact, for a reminder."""

    def headers(self, subject: str) -> Fields:
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
        return [(name, header_value(value)) for name, value in fields]

    def outer_subject(self, marking: Marking) -> str:
        """``EXERCISE - TLP:AMBER - LEERP notice LEERP-2026-0001-EWN-1``, for all who see the mail pass."""
        drill = EXERCISE_PREFIX if self.exercise else ""
        return f"{drill}TLP:{marking.tlp} - {NEUTRAL_SUBJECT} {self.reference}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The inside of a mail, its parts encoded: those of a campaign's mails share most of them."""

    subject: str
    texts: tuple[bytes, ...]
    """The same words in each: plain, then HTML."""
    files: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A mail's bytes, CRLF line ends throughout, and how it is protected, in a word."""

    raw: bytes
    protection: str
    unfit: TemplateUnfit | None = None
    """Why it is not set in the operator's template that was given for it."""


def build(
    rendered: Rendered,
    envelope: Envelope,
    *,
    marking: Marking,
    contact: Contact,
    signer: Signer,
    trust: Trust = PINNED,
) -> bytes:
    """The whole mail; signed always, encrypted whenever there is a key.

    What is PUBLIC, such as the bare fact of a closure, goes out in clear to whom no key is usable.

    Raises:
        Refused: the content is above PUBLIC and cannot be encrypted to this contact at
            ``envelope.date``.
    """
    protection = protection_of(contact, marking, envelope.date, trust)
    return wrap(encode(rendered), envelope, marking=marking, protection=protection, signer=signer)


def protection_of(contact: Contact, marking: Marking, at: datetime, trust: Trust) -> Protection:
    """How mail of this marking to this contact is protected. Raises Refused as ``build``."""
    public = marking.classification is Classification.PUBLIC
    return choose(contact, at=at, trust=trust, public=public)


def wrap(
    body: Body, envelope: Envelope, *, marking: Marking, protection: Protection, signer: Signer
) -> bytes:
    """The whole mail round an encoded body.

    Raises:
        Refused: as ``Protection.apply``.
    """
    outside = envelope.headers(envelope.outer_subject(marking))
    inner = _inner(body, envelope, outside, encrypted=protection.encrypts)
    top = [*outside, ("Auto-Submitted", "auto-generated"), ("MIME-Version", "1.0")]
    return header_lines(top) + protection.apply(inner, signer, envelope.date)


def encode(rendered: Rendered) -> Body:
    """The parts of a mail as MIME."""
    return Body(
        subject=rendered.subject,
        texts=(
            text_part(b"text/plain", canonical(rendered.text)),
            text_part(b"text/html", canonical(rendered.html)),
        ),
        files=file_parts(rendered.attachments),
    )


def text_part(media_type: bytes, text: bytes) -> bytes:
    """One text, in UTF-8 with CRLF line ends, as a part."""
    return b"".join(
        (
            b"Content-Type: " + media_type + b"; charset=utf-8\r\n",
            b"Content-Transfer-Encoding: base64\r\n\r\n",
            base64_lines(text),
        )
    )


def canonical(text: str) -> bytes:
    """UTF-8 with CRLF line ends."""
    return ("\r\n".join(text.splitlines()) + "\r\n").encode()


def file_parts(attachments: Sequence[Attachment]) -> tuple[bytes, ...]:
    """Attachments as parts: names of plain characters, and no two the same."""
    parts, names = [], set[str]()
    for attachment in attachments:
        name = _file_name(attachment.name, names)
        names.add(name)
        media_type = attachment.media_type.lower()
        kind = media_type if _TYPE.fullmatch(media_type) else ANY_TYPE
        head = (
            f'Content-Type: {kind}; name="{name}"\r\n'
            "Content-Transfer-Encoding: base64\r\n"
            f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
        )
        parts.append(head.encode() + base64_lines(attachment.data))
    return tuple(parts)


def _file_name(wanted: str, taken: set[str]) -> str:
    stem, dot, ending = _UNSAFE.sub("-", wanted).strip(".-").rpartition(".")
    stem, ending = (stem or ending)[:MAX_NAME] or "attachment", (dot + ending)[:16] if stem else ""
    names = (f"{stem}{f'-{n}' if n else ''}{ending}" for n in range(len(taken) + 1))
    return next(name for name in names if name not in taken)


def _inner(body: Body, envelope: Envelope, outside: Fields, *, encrypted: bool) -> bytes:
    """The protected part: headers and bodies, as RFC 9788 has them."""
    subject = body.subject
    if envelope.exercise and not subject.startswith("EXERCISE"):
        subject = EXERCISE_PREFIX + subject
    kind, parts = "alternative", body.texts
    if body.files:
        boundary = _boundary()
        texts = b"".join(
            (_type("alternative", boundary), b"\r\n\r\n", _multipart(boundary, body.texts))
        )
        kind, parts = "mixed", (texts, *body.files)
    boundary = _boundary()
    fields = [
        (name, header_value(subject) if name == "Subject" else value) for name, value in outside
    ]
    fields.append(("X-LEERP-Notification", header_value(envelope.notification_id)))
    if encrypted:  # what the outside showed, so that the reader's software can tell them apart
        fields += [("HP-Outer", f"{name}: {value}") for name, value in outside]
    hint = b'; hp="cipher"' if encrypted else b'; hp="clear"'
    return b"".join(
        (
            _type(kind, boundary) + hint + b"\r\n",
            header_lines(fields),
            b"\r\n",
            _multipart(boundary, parts),
        )
    )


def _boundary() -> bytes:
    return secrets.token_hex(16).encode()


def _type(kind: str, boundary: bytes) -> bytes:
    return b"Content-Type: multipart/" + kind.encode() + b'; boundary="' + boundary + b'"'


def _multipart(boundary: bytes, parts: Sequence[bytes]) -> bytes:
    """Parts that end with a line of their own; base64 has no hyphen, so none can hold the boundary."""
    between = b"--" + boundary + b"\r\n"
    return between + between.join(parts) + b"--" + boundary + b"--\r\n"
