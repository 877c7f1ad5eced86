"""Reading parts of an IODEF document, whichever way it is written, and its restrictions.

Source: domain 6.4.
"""

from __future__ import annotations

from typing import Any

from intake.formats.draft import Draft, items, text_of
from protocol.markings import HandlingCode, Marking, Tlp

Part = dict[str, Any]

_DEFAULT = "private"
"""Of an incident that states no restriction (RFC 7970 section 3.2)."""
_LABELS = {
    "white": Tlp.CLEAR,
    "public": Tlp.CLEAR,
    "green": Tlp.GREEN,
    "partner": Tlp.GREEN,
    "amber": Tlp.AMBER_STRICT,
    "need-to-know": Tlp.AMBER_STRICT,
    "red": Tlp.RED,
    "private": Tlp.RED,
    "default": Tlp.AMBER,
}
_ASK = "restriction 'default': as agreed beforehand; ask the provider what was agreed"
_ASK_EXTENDED = "a restriction that IODEF does not define; ask the provider what it demands"


def objects(value: object) -> list[Part]:
    """The objects among what stands there."""
    return [entry for entry in items(value) if isinstance(entry, dict)]


def word(value: object) -> str:
    """The text of an element or field: of the first, if there are many; empty if it has none."""
    first = value[0] if isinstance(value, list) and value else value
    return text_of(first.get("value") if isinstance(first, dict) else first) or ""


def texts(value: object) -> list[str]:
    """Every text that stands there, on one line each."""
    found = (" ".join(word(entry).split()) for entry in items(value))
    return [text for text in found if text]


def marking_of(incident: Part, draft: Draft) -> Marking:
    """The strictest restriction in the incident or any part of it."""
    stated = {word(incident.get("restriction")) or _DEFAULT, *_inner(incident)}
    labels, handling = set(), set()
    for name in sorted(stated):
        if name not in _LABELS:
            draft.warn("a restriction is none of IODEF's and is treated as RED")
            handling.add(_ASK_EXTENDED)
        elif name == "default":
            handling.add(_ASK)
        labels.add(_LABELS.get(name, Tlp.RED))
    return Marking(
        tlp=max(labels, key=list(Tlp).index),
        handling_codes=frozenset({HandlingCode.H3 if handling else HandlingCode.H0}),
        handling_text="; ".join(sorted(handling)),
    )


def _inner(incident: Part) -> set[str]:
    found = set()
    pending: list[Any] = list(incident.values())
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if restriction := word(node.get("restriction")):
                found.add(restriction)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return found
