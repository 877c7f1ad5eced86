"""Text out of bytes whose encoding somebody else names.

Only encodings of text are followed: Python knows others that unpack, escape or take quadratic time.
"""

from __future__ import annotations

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

from protocol.errors import RejectedReport

_ENCODINGS_OF_TEXT = re.compile(
    r"utf-?_?(?:8|16|32)(?:-?_?[bl]e)?|(?:us-?)?ascii|iso-?_?8859-?_?[0-9]{1,2}|latin-?[0-9]{1,2}"
    r"|(?:windows|cp)-?_?[0-9]{3,4}|koi8-?_?[rutk]|gb(?:k|2312|18030)|big5(?:hkscs)?"
    r"|euc-?_?(?:jp|kr)|shift-?_?jis(?:2004)?|iso-?_?2022-?_?(?:jp|kr)(?:-?_?[0-9])?|tis-?620",
    re.IGNORECASE,
)
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def safe_charset(name: str | None) -> str | None:
    """The encoding of that name, None if it is none of text."""
    if name is None or not _ENCODINGS_OF_TEXT.fullmatch(name):
        return None
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def decode_text(body: bytes, charset: str | None) -> str:
    """A whole record as text: by its byte order mark, else as declared, else UTF-8.

    Raises:
        RejectedReport: ``bad-text``.
    """
    marked = next((name for mark, name in _BYTE_ORDER_MARKS.items() if body.startswith(mark)), None)
    try:
        text = body.decode(marked or safe_charset(charset) or "utf-8")
    except UnicodeDecodeError as error:
        raise RejectedReport(
            "bad-text",
            f"the record is not UTF-8, or not what it is declared as: byte {error.start}",
        ) from None
    if "\x00" in text:
        raise RejectedReport("bad-text", "the record holds a NUL character; send UTF-8 text")
    return text


def decode_loosely(body: bytes, charset: str | None) -> str:
    """A part of a mail as text; bytes that do not fit its encoding become U+FFFD."""
    return body.decode(safe_charset(charset) or "utf-8", "replace")


def decode_words(header: str) -> str:
    """A header with its encoded words (RFC 2047) in plain, on one line; what cannot be read stays."""
    try:
        parts = decode_header(header)
    except (HeaderParseError, ValueError):
        return " ".join(header.split())
    text = "".join(
        part if isinstance(part, str) else decode_loosely(part, charset) for part, charset in parts
    )
    return " ".join(text.split())
