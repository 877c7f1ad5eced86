"""Real documents with their fields deleted, doubled, retyped, blown up or made strange.

Whatever becomes of them, the pipeline stores them or refuses them with a reason of its own; a
defect of ours, ``unprocessable``, is none.
"""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.intake_limits import IntakeSettings
from intake.records import DETECTED_BY_HEADER, UNPROCESSABLE, Accepted, RawRecord, read_record
from protocol.parties import SourceGroup
from protocol.report import ReportContent
from tests.intake.formats.samples import DATA

LIMITS = IntakeSettings()
MOST_BYTES = 12_000
REAL = sorted(
    path
    for folder in DATA.iterdir()
    if folder.is_dir() and folder.name not in {"contacts", "exercise"}
    for path in folder.iterdir()
    if 0 < path.stat().st_size < MOST_BYTES
)


def _json(path: Path) -> Any:
    """The object or list that a file holds, None if it holds none."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict | list) else None


DOCUMENTS = [json.dumps(document) for path in REAL if (document := _json(path))]
TEXTS = [path.read_bytes() for path in REAL if path.suffix in {".xml", ".csv", ".eml", ".jsonl"}]
_PIECE = re.compile(rb"<[^<>]{1,400}>|[^<>,\n]{1,400}|[,\n]")

STRANGE: list[Any] = [
    None, True, False, 0, -1, 2**63, 1e308, "", " ", "\u202e\u0627", "\u0000x", "x" * 5_000, "NaN",
    "9999-12-31T23:59:59Z", "0000-00-00", "1970-01-01", "999.999.999.999", "::", "[", "a|b|c", "=1",
    "\ud83d\ude91", "xn--", "http://[", "tlp:x", "--", [], {}, [[]], [None], {"value": {}}, ["x"] * 50,
]  # fmt: skip


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pending = [document]
    while pending:
        node = pending.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            found.append((node, key))
            if isinstance(node[key], dict | list):
                pending.append(node[key])
    return found


def _retyped(value: Any) -> Any:
    """The same said in another type."""
    match value:
        case bool() | None:
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return (
                int(value)
                if value.isascii() and value.isdecimal() and len(value) < 4_000
                else [value]
            )
        case list():
            return value[0] if value else {}
        case dict():
            return list(value.values())
    return value


def _change(holder: Any, key: Any, how: str, data: st.DataObject) -> None:
    value = holder[key]
    match how:
        case "delete":
            del holder[key]
        case "double" if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(value))
        case "double":
            holder[key] = [copy.deepcopy(value), copy.deepcopy(value)]
        case "retype":
            holder[key] = _retyped(value)
        case "wrap":
            holder[key] = {"value": value}
        case "huge":
            holder[key] = value * _TIMES if isinstance(value, str | list) else 10**18
        case "rename" if isinstance(holder, dict):
            holder[str(key).swapcase()] = holder.pop(key)
        case _:
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(STRANGE)))


_TIMES = 100
_MOST_PLACES = 5_000
"""Beyond, a document grows no further: lists of lists would fill the memory of the test."""
WAYS = ["delete", "double", "retype", "wrap", "huge", "rename", "strange", "strange"]


def _read(body: bytes, data: st.DataObject) -> None:
    group = data.draw(st.sampled_from(list(SourceGroup)))
    how = data.draw(st.sampled_from([{}, {DETECTED_BY_HEADER: "primary"}]))
    outcome = read_record(
        RawRecord(
            topic="t", partition=0, offset=0, group=group, principal="p", headers=how, body=body,
            received_at=datetime.now(UTC),
        ),
        LIMITS,
    )  # fmt: skip
    if isinstance(outcome, Accepted):
        assert outcome.contents
        for content in outcome.contents[:3]:
            ReportContent.model_validate(content.model_dump())
    else:
        assert outcome.reason != UNPROCESSABLE, outcome.message
        assert outcome.message


@given(st.sampled_from(DOCUMENTS), st.data())
@settings(max_examples=250, deadline=None)
def test_a_document_with_changed_fields_is_stored_or_refused(
    real: str, data: st.DataObject
) -> None:
    document = json.loads(real)
    for _ in range(data.draw(st.integers(1, 5))):
        if not 0 < len(spots := _places(document)) < _MOST_PLACES:
            break
        holder, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        _change(holder, key, data.draw(st.sampled_from(WAYS)), data)

    _read(json.dumps(document).encode(), data)


@given(st.sampled_from(TEXTS), st.data())
@settings(max_examples=150, deadline=None)
def test_a_text_with_changed_pieces_is_stored_or_refused(real: bytes, data: st.DataObject) -> None:
    pieces = _PIECE.findall(real)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(pieces) - 1))
        match data.draw(st.sampled_from(["delete", "double", "move", "strange"])):
            case "delete":
                pieces[at] = b""
            case "double":
                pieces[at] *= data.draw(st.sampled_from([2, 100]))
            case "move":
                other = data.draw(st.integers(0, len(pieces) - 1))
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case _:
                strange = data.draw(st.sampled_from(STRANGE))
                pieces[at] = str(strange).encode("utf-8", "surrogatepass")

    _read(b"".join(pieces), data)
