"""Hashes as IODEF writes them: an algorithm's address, and a value in base64 or in hexadecimal.

Source: domain 6.4; RFC 7970 section 3.26.1, whose own examples hold base64 of a hexadecimal text.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from intake.formats.draft import Draft
from intake.formats.iodef_parts import word
from protocol.indicators import normalise
from protocol.report import IndicatorType

_KINDS = {
    "md5": IndicatorType.MD5,
    "sha1": IndicatorType.SHA1,
    "sha256": IndicatorType.SHA256,
}
_LONGEST = 1_000
_HEXADECIMAL = re.compile(r"(?:0x)?([0-9a-f]+)", re.IGNORECASE)


def add_hash(entry: Any, role: str, draft: Draft) -> None:
    """Take up one ``Hash``; one that is not of its algorithm is kept as it stands."""
    if not isinstance(entry, dict):
        draft.warn("a Hash is not an object and is left out")
        return
    method = entry.get("DigestMethod")
    first = method[0] if isinstance(method, list) and method else method
    address = word(first.get("Algorithm")) if isinstance(first, dict) else word(first)
    name = address.rpartition("#")[2].lower().replace("-", "")
    kind = _KINDS.get(name, IndicatorType.OTHER)
    value = "".join(word(entry.get("DigestValue")).split())[:_LONGEST]
    if not value:
        return
    for digest in _spellings(value):
        try:
            normalise(kind, digest)
        except ValueError:
            continue
        if kind is not IndicatorType.OTHER:
            draft.indicator(kind, digest, role=role)
            return
    draft.indicator(kind, value, role=draft.line(name, "an algorithm") or role)


def _spellings(value: str) -> list[str]:
    """What the value may mean in hexadecimal digits."""
    found = []
    if match := _HEXADECIMAL.fullmatch(value):
        found.append(match[1])
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return found
    if match := _HEXADECIMAL.fullmatch(raw.decode("ascii", "replace").strip()):
        found.append(match[1])
    found.append(raw.hex())
    return found
