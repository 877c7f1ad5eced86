"""Safe decoding of a mail (RFC 5322): its text, what it carries, and who sent it when.

Limits hold while the mail is taken apart: the parser asks for every part before it makes one, and
stops at the first too many. Source: issue 5, "Formats", "Safe limits"; reliability F-K5, F-K7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesFeedParser
from email.policy import Compat32, compat32
from typing import Any

from infra.intake_limits import IntakeSettings
from intake.charsets import decode_loosely, decode_words
from intake.html_text import text_of_html
from protocol.errors import RejectedReport

_HEADER_LENGTH = 4_000
_BEGINNING = 64_000
_FIELD = re.compile(r"([!-9;-~]{1,76}):")
_TELLING_FIELDS = {
    "from", "to", "date", "subject", "message-id", "received", "mime-version", "return-path",
    "content-type", "delivered-to", "reply-to",
}  # fmt: skip
_ENOUGH_FIELDS = 3
_ADDRESS_FIELDS = ("From", "Sender", "Reply-To", "To", "Cc", "Delivered-To", "Return-Path")
_ADDRESS = re.compile(r"[^\s<>,;:\"()@]{1,64}@[^\s<>,;:\"()@]{1,255}")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,200})>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A leaf of a mail that is not its text."""

    media_type: str
    declared: str
    """The header Content-Type as it stands."""
    name: str
    body: bytes


@dataclass(slots=True, kw_only=True)
class MailDocument:
    """A mail taken apart; the documents are what its parts decode to, with their numbers."""

    subject: str
    sender_name: str
    sender: str
    correspondents: frozenset[str]
    """Addresses of sender and recipients, in lower case."""
    date: str | None
    message_id: str
    in_reply_to: tuple[str, ...]
    text: str
    forwarded: str
    """The text of mails within the mail."""
    body: bytes
    documents: list[tuple[int, Any]] = field(default_factory=list)
    refused: list[tuple[int, RejectedReport]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Media types of parts that no document can be made of."""


def looks_like_mail(body: bytes) -> bool:
    """Whether it begins with a header block that names enough of a mail's fields."""
    text = body[:_BEGINNING].decode("ascii", "replace").lstrip("\ufffd\r\n")
    found = set()
    for number, line in enumerate(text.splitlines()):
        if not line.strip():
            break
        match = _FIELD.match(line)
        if match:
            found.add(match[1].lower())
        elif not (line[0] in " \t" or (number == 0 and line.startswith("From "))):
            break
    return len(found & _TELLING_FIELDS) >= _ENOUGH_FIELDS


def read_mail(body: bytes, limits: IntakeSettings) -> tuple[MailDocument, list[Part]]:
    """Take a mail apart.

    Raises:
        RejectedReport: ``too-many-lines``, ``too-many-parts``, ``too-deep`` or
            ``attachment-too-large``.
    """
    if body.count(b"\n") + body.count(b"\r") > 2 * limits.max_mail_lines:
        raise RejectedReport(
            "too-many-lines", f"the mail has more than {limits.max_mail_lines} lines"
        )
    message = _parse(body, limits)
    parts: list[Part] = []
    own, forwarded = _Texts(), _Texts()
    for leaf, inside in _leaves(message, limits):
        part = _part(leaf, limits)
        is_text = not part.name and leaf.get_content_disposition() != "attachment"
        if is_text and (forwarded if inside else own).take(leaf, part) and not inside:
            continue
        if part.body.strip():
            parts.append(part)
    return _document(message, own.joined(), forwarded.joined(), body), parts


@dataclass(slots=True)
class _Texts:
    """What people wrote, once if it came as plain text and as a page."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)

    def take(self, leaf: Message, part: Part) -> bool:
        """Take a leaf up; False if it is, or may be, something else to be read."""
        if part.media_type not in {"text/html", "text/plain"}:
            return False
        is_page = part.media_type == "text/html"
        (self.html if is_page else self.plain).append(
            decode_loosely(part.body, leaf.get_content_charset())
        )
        return is_page or not _is_structured(part.body)

    def joined(self) -> str:
        plain = "\n\n".join(self.plain).strip()
        return plain or "\n\n".join(text_of_html(each) for each in self.html).strip()


def _parse(body: bytes, limits: IntakeSettings) -> Message:
    made = -1  # the parser makes one more, to see how it is done

    def make(policy: Compat32 = compat32) -> Message:
        nonlocal made
        made += 1
        if made > limits.max_mail_parts:
            raise RejectedReport(
                "too-many-parts",
                f"the mail has more than the {limits.max_mail_parts} parts accepted",
            )
        return Message(policy)

    parser = BytesFeedParser(make)
    parser.feed(body)
    return parser.close()


def _leaves(message: Message, limits: IntakeSettings) -> Iterator[tuple[Message, bool]]:
    """Leaves in their order, and whether each lies in a mail within the mail."""
    pending = [(message, 1, False)]
    while pending:
        part, depth, inside = pending.pop()
        if depth > limits.max_mail_depth:
            raise RejectedReport(
                "too-deep",
                f"the mail's parts are nested deeper than the {limits.max_mail_depth} levels accepted",
            )
        payload = part.get_payload()
        if part.get_content_type() == "message/feedback-report" and isinstance(payload, list):
            yield _as_text(payload), inside
            continue
        if not isinstance(payload, list):
            yield part, inside
            continue
        inside = inside or part.get_content_maintype() == "message"
        inner = [each for each in payload if isinstance(each, Message)]
        pending.extend((each, depth + 1, inside) for each in reversed(inner))


def _as_text(fields: list[Any]) -> Message:
    """A feedback report (RFC 5965) as the text that it is; the parser takes it for headers."""
    leaf = Message()
    lines = [
        f"{name}: {value}"
        for each in fields
        if isinstance(each, Message)
        for name, value in each.items()
    ]
    leaf.set_payload("\n".join(lines).encode("utf-8", "replace").decode("latin-1"))
    leaf["Content-Type"] = 'text/plain; name="feedback-report"'
    return leaf


def _part(leaf: Message, limits: IntakeSettings) -> Part:
    body = leaf.get_payload(decode=True)
    content = body if isinstance(body, bytes) else b""
    if len(content) > limits.max_attachment_bytes:
        raise RejectedReport(
            "attachment-too-large",
            f"a part of the mail has {len(content)} bytes; at most {limits.max_attachment_bytes}"
            " are accepted",
        )
    return Part(
        media_type=leaf.get_content_type(),
        declared=_header(leaf, "Content-Type"),
        name=_filename(leaf),
        body=content,
    )


def _filename(leaf: Message) -> str:
    try:
        return decode_words((leaf.get_filename() or "")[:_HEADER_LENGTH])
    except (LookupError, UnicodeError):  # an encoding that is none, which the library follows
        return "unreadable"


def _is_structured(body: bytes) -> bool:
    return body[:1_000].removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[{", b"<?xml"))


def _header(message: Message, name: str) -> str:
    return str(message.get(name, ""))[:_HEADER_LENGTH]


def _document(message: Message, text: str, forwarded: str, body: bytes) -> MailDocument:
    addresses = _ADDRESS.findall(" ".join(_header(message, name) for name in _ADDRESS_FIELDS))
    author = _header(message, "From")
    sender = _ADDRESS.search(author)
    found = _MESSAGE_ID.search(_header(message, "Message-ID"))
    date = message.get("Date")
    return MailDocument(
        subject=decode_words(_header(message, "Subject")),
        sender_name=decode_words(author.partition("<")[0].strip(' "')) if "<" in author else "",
        sender=sender[0] if sender else "",
        correspondents=frozenset(address.lower() for address in addresses),
        date=None if date is None else str(date)[:_HEADER_LENGTH],
        message_id=found[1] if found else "",
        in_reply_to=tuple(_MESSAGE_ID.findall(_header(message, "In-Reply-To"))[:10]),
        text=text,
        forwarded=forwarded,
        body=body,
    )
