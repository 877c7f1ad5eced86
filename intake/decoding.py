"""From the bytes of a record to a document: what kind of text it is, decoded within the limits.

A document is a JSON value, an ``XmlDocument``, a ``TextDocument`` or a ``MailDocument``. Nothing is
ever unpacked, loaded or fetched. Source: issue 5, "Safe limits"; reliability F-K1 to F-K5.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any, Literal

from infra.intake_limits import IntakeSettings
from intake.charsets import decode_text
from intake.formats.base import MOST_REPORTS
from intake.limits import check_size, decode_json
from intake.mails import MailDocument, Part, looks_like_mail, read_mail
from intake.texts import TextDocument
from intake.xml_limits import decode_xml, looks_like_xml
from protocol.errors import RejectedReport

Kind = Literal["json", "xml", "text", "mail"]

_ARCHIVES = (
    b"\x1f\x8b", b"\x1f\x9d", b"\x1f\xa0",  # gzip, compress
    b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08",  # zip, and what is zip inside
    *(b"BZh%d1AY" % level for level in range(1, 10)), b"\xfd7zXZ\x00", b"\x5d\x00\x00\x80",
    b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"MSCF\x00", b"LZIP\x01",
    b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18",  # zstd, lz4
)  # fmt: skip
_TAR = slice(257, 262)
_BINARIES = {
    b"%PDF-": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an office document or Outlook message",
    b"MZ\x90\x00": "a program",
    b"\x7fELF": "a program",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"{\\rtf": "a rich text document",
    b"GIF87a": "a picture",
    b"GIF89a": "a picture",
    b"SQLite format 3\x00": "a database",
}
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+)?html[\s>]", re.IGNORECASE)
_OF_MEDIA_TYPE: dict[str, Kind] = {
    "message/rfc822": "mail",
    "text/csv": "text",
    "text/tab-separated-values": "text",
}
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)


def decode(
    body: bytes, *, kind: Kind | None, media_type: str | None, limits: IntakeSettings
) -> Any:
    """Decode one record.

    Args:
        body: the record as it came.
        kind: what the declared format is written in; None where the content decides.
        media_type: as declared; it decides between texts and mails only, since JSON and XML show.
        limits: none of them is passed before the record is refused.

    Raises:
        RejectedReport: ``archive``, ``bad-text``, or what the kind's own limits say.
    """
    check_size(body, limits.max_record_bytes)
    _check_binary(body)
    if kind in {None, "json"} and body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        text = decode_text(body, None)  # as some systems write every file
        if text.lstrip().startswith(("{", "[")):
            return _json(text.encode(), limits)
    if kind is None:
        kind = kind_of_media(media_type)
    match kind or _kind_of(body):
        case "xml":
            return decode_xml(body, limits)
        case "json":
            return _json(body, limits)
        case "mail":
            return _mail(body, limits)
        case "text":
            return _text(body, media_type, limits, declared=kind is not None)


def kind_of_media(media_type: str | None) -> Kind | None:
    """What a declared media type decides; None where the content does."""
    return _OF_MEDIA_TYPE.get((media_type or "").partition(";")[0].strip().lower())


def is_archive(body: bytes) -> bool:
    """Whether it begins as an archive or office document does."""
    return body.startswith(_ARCHIVES) or body[_TAR] == b"ustar"


def _check_binary(body: bytes) -> None:
    if is_archive(body):
        raise RejectedReport(
            "archive",
            "this is an archive or office document, which is never unpacked here;"
            " unpack it and send what is in it, one file to a record",
        )
    if _HTML.match(body[:1_000]):
        raise RejectedReport(
            "unknown-format", "this is a web page; send the report itself in an accepted format"
        )
    for mark, what in _BINARIES.items():
        if body.startswith(mark):
            raise RejectedReport(
                "unknown-format", f"this is {what}; send the report as text in an accepted format"
            )


def _kind_of(body: bytes) -> Kind:
    if looks_like_xml(body):
        return "xml"
    start = body[:1_000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"[")):
        return "json"
    return "mail" if looks_like_mail(body) else "text"


def _json(body: bytes, limits: IntakeSettings) -> Any:
    """One JSON document, or JSON lines as a list of their documents."""
    try:
        return _json_document(body, limits)
    except RejectedReport as refused:
        lines = [line for line in body.splitlines() if line.strip()]
        if refused.reason != "not-json" or len(lines) < 2 or not _is_json(lines[0], limits):
            raise
    if len(lines) > MOST_REPORTS:
        raise RejectedReport(
            "too-many-reports",
            f"the record has {len(lines)} lines of JSON; at most {MOST_REPORTS} are accepted",
        )
    documents = []
    for number, line in enumerate(lines, start=1):
        try:
            documents.append(_json_document(line, limits))
        except RejectedReport as refused:
            raise RejectedReport(refused.reason, f"JSON line {number}: {refused}") from None
    return documents


def _json_document(body: bytes, limits: IntakeSettings) -> Any:
    return decode_json(body, max_bytes=limits.max_record_bytes, max_depth=limits.max_depth)


def _is_json(line: bytes, limits: IntakeSettings) -> bool:
    try:
        return isinstance(_json_document(line, limits), dict)
    except RejectedReport:
        return False


def _text(
    body: bytes, media_type: str | None, limits: IntakeSettings, *, declared: bool
) -> TextDocument:
    charset = _CHARSET.search(media_type or "")
    return TextDocument(
        text=decode_text(body, charset[1] if charset else None), declared=declared, limits=limits
    )


def _mail(body: bytes, limits: IntakeSettings) -> MailDocument:
    mail, parts = read_mail(body, limits)
    for number, part in enumerate(parts, start=1):
        try:
            document = _attached(part, limits)
        except RejectedReport as refused:
            mail.refused.append((number, refused))
        else:
            if document is None:
                mail.unread.append(part.media_type)
            else:
                mail.documents.append((number, document))
    return mail


def _attached(part: Part, limits: IntakeSettings) -> Any:
    """A part of a mail as a document, None if it can be none."""
    kind = _kind_of(part.body)
    if kind in {"xml", "json"} and part.media_type != "text/html":
        return decode(part.body, kind=kind, media_type=None, limits=limits)
    _check_binary(part.body)
    if part.media_type in {"text/csv", "text/tab-separated-values"}:
        return _text(part.body, part.declared, limits, declared=True)
    if part.media_type == "text/plain" or part.name.lower().endswith((".csv", ".tsv", ".txt")):
        return _text(part.body, part.declared, limits, declared=False)
    return None
