"""Markings of STIX objects: TLP by id or definition, statements as handling text.

Source: domain 4.3 (ids of TLP 1 and 2), 6.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from intake.formats.draft import Draft, items, text_of
from intake.formats.stix_bundle import Bundle, Thing
from intake.formats.vocabulary import TLP_LABELS
from protocol.markings import HandlingCode, Marking, Tlp

_TLP_IDS = {
    "613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
    "94868c89-83c2-464b-929b-a1a8aa3c8487": Tlp.CLEAR,
    "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": Tlp.GREEN,
    "55d920b0-5e8b-4f79-9ee9-91f868d9b421": Tlp.AMBER,
    "939a9414-2ddd-4d32-a0cd-375ea402b003": Tlp.AMBER_STRICT,
    "e828b379-4e03-4974-9ac4-e53a884c97c1": Tlp.RED,
}
_ABSENT = "a marking is referred to but not included; ask the provider what it demands"


def marking_of(members: list[Thing], bundle: Bundle, draft: Draft) -> Marking:
    """The strictest marking of any member; granular markings count for the whole.

    A statement, or a marking whose definition is missing, becomes the text of handling code H3, so
    that a person reads it before anything goes out.
    """
    levels: list[Tlp] = []
    texts: set[str] = set()
    for ref in sorted({ref for thing in members for ref in _marking_refs(thing)}):
        level, text = _read(ref, bundle, draft)
        levels.extend(level)
        texts.update(text)
    handling = "; ".join(sorted(texts))
    return Marking(
        handling_codes=frozenset({HandlingCode.H3} if texts else {HandlingCode.H0}),
        handling_text=handling,
    ).with_tlp(levels)


def _marking_refs(thing: Thing) -> Iterable[str]:
    if thing["type"] == "marking-definition":
        return
    for ref in items(thing.get("object_marking_refs")):
        if isinstance(ref, str):
            yield ref
    for granular in items(thing.get("granular_markings")):
        if isinstance(granular, dict) and isinstance(granular.get("marking_ref"), str):
            yield granular["marking_ref"]


def _read(ref: str, bundle: Bundle, draft: Draft) -> tuple[list[Tlp], list[str]]:
    if level := _TLP_IDS.get(ref.removeprefix("marking-definition--").lower()):
        return [level], []
    definition = bundle.get(ref, "marking-definition")
    if definition is None:
        draft.warn(_ABSENT)
        return [], [_ABSENT]
    label = _label(definition)
    if label is not None:
        level = TLP_LABELS.get(label)
        if level is None:
            draft.warn("a TLP marking is none of TLP 2.0 and is treated as RED")
        return [level or Tlp.RED], []
    content = definition.get("definition")
    statement = content.get("statement") if isinstance(content, dict) else None
    text = draft.line(statement, "a marking's statement")
    return [], [text or "a marking of an unknown kind; a person must read it"]


def _label(definition: Thing) -> str | None:
    """The TLP colour that a definition states, in version 1, version 2 or by its name."""
    candidates: list[Any] = []
    if definition.get("definition_type") == "tlp":
        content = definition.get("definition")
        candidates.append(content.get("tlp", "") if isinstance(content, dict) else "")
    extensions = definition.get("extensions")
    candidates.extend(
        extension["tlp_2_0"]
        for extension in (extensions.values() if isinstance(extensions, dict) else ())
        if isinstance(extension, dict) and "tlp_2_0" in extension
    )
    name = (text_of(definition.get("name")) or "").lower()
    if name.startswith("tlp:"):
        candidates.append(name.removeprefix("tlp:"))
    return (text_of(candidates[0]) or "").lower() if candidates else None
