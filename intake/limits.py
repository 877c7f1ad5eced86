"""Safe decoding of what strangers send: limits first, then strict JSON.

Source: issue 4, "Bad input"; reliability F-K1 to F-K3.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from protocol.errors import RejectedReport

_MAX_INTEGER = 2**63
_MAX_DIGITS = 20
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def check_size(body: bytes, max_bytes: int) -> None:
    """Refuse a record that is empty or larger than ``max_bytes``.

    Raises:
        RejectedReport: ``empty`` or ``too-large``.
    """
    if len(body) > max_bytes:
        raise RejectedReport(
            "too-large", f"the record has {len(body)} bytes; at most {max_bytes} are accepted"
        )
    if not body.strip():
        raise RejectedReport("empty", "the record is empty")


def decode_json(body: bytes, *, max_bytes: int, max_depth: int) -> Any:
    """Decode one JSON document, stricter than the standard asks.

    A byte order mark is passed over. Messages name the rule and the place, never what was sent.

    Args:
        body: the record as it came.
        max_bytes: largest size accepted.
        max_depth: how deep arrays and objects may be nested.

    Raises:
        RejectedReport: ``empty``, ``too-large``, ``bad-text``, ``not-json``, ``too-deep``,
            ``not-finite``, ``number-too-large`` or ``duplicate-key``.
    """
    check_size(body, max_bytes)
    text = _text(body)
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise RejectedReport(
            "not-json", f"the record is not JSON: it goes wrong at character {error.pos}"
        ) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    if text.count("[") + text.count("{") > max_depth and _depth(document, max_depth) > max_depth:
        raise _too_deep(max_depth)
    if _SUSPECT_ESCAPE.search(text):
        _check_strings(document)
    return document


def _text(body: bytes) -> str:
    if b"\x00" in body:
        raise RejectedReport(
            "bad-text", f"the record holds a NUL character at byte {body.index(0)}; send UTF-8 text"
        )
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RejectedReport(
            "bad-text", f"the record is not UTF-8: it goes wrong at byte {error.start}"
        ) from None


def _too_deep(max_depth: int) -> RejectedReport:
    return RejectedReport(
        "too-deep", f"arrays and objects are nested deeper than the {max_depth} levels accepted"
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RejectedReport(
            "duplicate-key", "an object names the same field twice, so its meaning is not certain"
        )
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or not -_MAX_INTEGER <= (number := int(digits)) < 2 * _MAX_INTEGER:
        raise RejectedReport("number-too-large", "a whole number does not fit into 64 bits")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise RejectedReport("not-finite", "a number is too large to be represented")
    return number


def _constant(_name: str) -> NoReturn:
    raise RejectedReport("not-finite", "NaN and Infinity are not numbers in JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _children(node: Any) -> list[Any]:
    items = node.values() if isinstance(node, dict) else node
    return [item for item in items if isinstance(item, dict | list)]


def _depth(document: Any, enough: int) -> int:
    """Levels of nesting; counting stops one level after ``enough``."""
    level = [document] if isinstance(document, dict | list) else []
    depth = 0
    while level and depth <= enough:
        depth += 1
        level = [child for node in level for child in _children(node)]
    return depth


def _check_strings(document: Any) -> None:
    pending = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            if _UNWRITABLE.search(node):
                raise RejectedReport(
                    "bad-text", "a text holds a NUL character or half of a surrogate pair"
                )
        elif isinstance(node, dict):
            pending.extend(node)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
