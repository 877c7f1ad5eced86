"""Text from reports and officers on its way into a header of a mail.

Source: reliability fact 10: an encoded word in a header value can carry a line break through
Python's mail library and so add a header of the sender's choice. Only the standard library is used, so
that each Python that is supported can be tried on the same hostile texts (F-K7).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from email.header import Header
from functools import lru_cache

MAX_HEADER = 300

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""Marks that turn, join or hide text: what is read would differ from what is written."""
_CONTROLS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u2028\u2029\ud800-\udfff]")


def literal(text: str) -> str:
    """``text`` with nothing in it that cannot be seen; line breaks and tabs stay.

    Marks that turn, join or hide text go; other controls, exotic separators and lone surrogates
    become spaces.
    """
    return _CONTROLS.sub(" ", _INVISIBLE.sub("", text))


def safe_header(text: str) -> str:
    """``text`` as one harmless line of at most 300 characters, fit for any header value.

    Controls, line and paragraph separators and lone surrogates become spaces, marks that turn or
    hide text go, and ``=?`` is opened so that nothing reads as an RFC 2047 encoded word. Cleaning
    the result again changes nothing. Never raises.
    """
    line = " ".join(literal(text).split())
    line = unicodedata.normalize("NFC", line).replace("=?", "= ?")
    return line[:MAX_HEADER].strip()


@lru_cache(maxsize=1_024)
def header_value(text: str) -> str:
    """A header's value: ASCII as it is; anything else as encoded words of our own making (RFC 2047)."""
    value = safe_header(text)
    return value if value.isascii() else Header(value, "utf-8").encode(linesep="\r\n")


def header_lines(fields: Iterable[tuple[str, str]]) -> bytes:
    """Fields as the lines of a mail. Values come from ``header_value``, names from the program."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("ascii")
