"""A second reader of mails, by the letter of RFC 5322: what it does not know, it refuses.

Python's parser forgives much; a header that one reader sees and another does not is an injection.
"""

from __future__ import annotations

import base64
import re

NAME = re.compile(rb"[!-9;-~]+")
WORD = re.compile(rb"=\?utf-8\?([bq])\?([!->@-~]*)\?=")
MAX_LINE = 998


def fields(raw: bytes) -> list[tuple[str, str]]:
    """The header fields before the first empty line, unfolded and decoded.

    Raises:
        ValueError: a line that is no field, no part of one, too long, or not ASCII.
    """
    head, found, _ = raw.partition(b"\r\n\r\n")
    if not found:
        raise ValueError("the header does not end")
    unfolded: list[bytes] = []
    for line in head.split(b"\r\n"):
        if (
            len(line) > MAX_LINE
            or not line.isascii()
            or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line)
        ):
            raise ValueError(f"no line of a header: {line[:60]!r}")
        if line[:1] in (b" ", b"\t"):
            unfolded[-1] += line
        else:
            unfolded.append(line)
    made = []
    for line in unfolded:
        name, colon, value = line.partition(b":")
        if not colon or not NAME.fullmatch(name):
            raise ValueError(f"no field: {line[:60]!r}")
        made.append((name.decode().lower(), _decoded(value.strip())))
    return made


def _decoded(value: bytes) -> str:
    joined = re.sub(rb"\?=[ \t]+=\?", b"?==?", value)
    text = WORD.sub(_word, joined)
    if any(sign in text for sign in b"\r\n\x00"):
        raise ValueError("an encoded word holds a line break")
    return text.decode("utf-8")


def _word(match: re.Match[bytes]) -> bytes:
    coding, text = match.groups()
    if coding == b"b":
        return base64.b64decode(text, validate=True)
    plain = text.replace(b"_", b" ")
    return re.sub(rb"=([0-9A-F]{2})", lambda code: bytes([int(code[1], 16)]), plain)
