"""What MISP wraps events in, and what it sends without the event: searches, indexes, live messages.

Source: domain 6.6; MISP's REST answers and its ZeroMQ feed.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from intake.formats.draft import items, text_of
from protocol.errors import RejectedReport

Thing = dict[str, Any]

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EVENTS_OWN = {"info", "date", "Org", "Orgc", "threat_level_id"}
"""Fields that an event has, and no part of one."""
_PARTS = ("Attribute", "Object", "EventReport")
_MARKS_OF_AN_ATTRIBUTE = {
    "category",
    "to_ids",
    "event_id",
    "object_relation",
    "disable_correlation",
}


def is_manifest(document: Any) -> bool:
    """Whether events stand by their ids, with no more than what a feed's manifest says of them."""
    return (
        isinstance(document, dict)
        and bool(document)
        and all(
            _UUID.fullmatch(key) and isinstance(entry, dict) and "info" in entry
            for key, entry in document.items()
        )
    )


def is_part(entry: Any) -> bool:
    """Whether it is an attribute or an object that came without its event, or begins with one."""
    if not isinstance(entry, dict):
        return False
    if isinstance(entry.get("Object"), dict):
        return True
    inner = entry.get("Attribute", entry)
    attribute = inner[0] if isinstance(inner, list) and inner else inner
    if not isinstance(attribute, dict) or _EVENTS_OWN & entry.keys():
        return False
    return {"type", "value"} <= attribute.keys() and bool(_MARKS_OF_AN_ATTRIBUTE & attribute.keys())


def events_of(document: Any) -> list[Thing]:
    """Every event of the document; attributes and objects without one become an event by context.

    Raises:
        RejectedReport: ``bad-structure``, or ``misp-event-index`` for what only lists events.
    """
    if isinstance(document, dict) and "response" in document:
        document = document["response"]
    if isinstance(document, dict) and _is_search_result(document):
        return _by_context([{"Attribute": each} for each in entries(document["Attribute"])])
    found = items(document)
    if found and all(is_part(entry) and not _has_event(entry) for entry in found):
        return _by_context(found)
    return [_event(entry) for entry in found]


def _is_search_result(document: Thing) -> bool:
    """Whether it is the answer to a search for attributes: they, and nothing of an event."""
    return "Attribute" in document and not {"uuid", "Event", *_EVENTS_OWN} & document.keys()


def _has_event(entry: Thing) -> bool:
    return isinstance(entry.get("Event"), dict)


def _event(entry: Any) -> Thing:
    event = entry.get("Event", entry) if isinstance(entry, dict) else None
    if not isinstance(event, dict):
        raise RejectedReport("bad-structure", "an Event is not an object with fields")
    whole = any(name in event for name in _PARTS)
    beside = {name: entries(entry[name]) for name in _PARTS if event is not entry and name in entry}
    if beside:
        joined = {name: [*entries(event.get(name)), *parts] for name, parts in beside.items()}
        return event | joined if whole else _partial({**event, **joined})
    counted = text_of(event.get("attribute_count")) or ""
    if counted.isdecimal() and int(counted) and not any(event.get(name) for name in _PARTS):
        raise RejectedReport(
            "misp-event-index",
            "this lists MISP events without their attributes; send the events themselves",
        )
    return event


def entries(value: object) -> list[Any]:
    """A list of parts as such, also where it came as one part or by numbers."""
    if isinstance(value, dict) and value and not {"type", "name", "value", "uuid"} & value.keys():
        return list(value.values())
    return items(value)


def _by_context(found: list[Thing]) -> list[Thing]:
    """One event for each that the parts say they are of; for those that say none, one for all."""
    events: dict[str, Thing] = {}
    for entry in found:
        kind = "Object" if isinstance(entry.get("Object"), dict) else "Attribute"
        inner = entry.get(kind)
        part: Any = inner if isinstance(inner, dict) else entry
        context = part.get("Event") if isinstance(part, dict) else None
        stated = context if isinstance(context, dict) and context.get("uuid") else {}
        key = text_of(stated.get("uuid")) or ""
        event = events.setdefault(key, {**stated, "Attribute": [], "Object": []})
        event[kind].append(part)
    return [_partial(event) for event in events.values()]


def _partial(event: Thing) -> Thing:
    """Parts of an event as a report of their own, which does not replace the event but joins it.

    Their id is made of them, and their time is when the last of them was written.
    """
    parts = [part for name in _PARTS for part in items(event.get(name)) if isinstance(part, dict)]
    inner = [each for part in parts for each in items(part.get("Attribute"))]
    said = json.dumps([event.get("uuid"), parts], sort_keys=True)
    written = [
        text
        for part in [*parts, *inner]
        if isinstance(part, dict) and _is_epoch(text := text_of(part.get("timestamp")) or "")
    ]
    return event | {
        "uuid": f"misp-parts-{hashlib.sha256(said.encode()).hexdigest()[:32]}",
        "extends_uuid": event.get("uuid"),
        "info": event.get("info") or f"{len(parts)} parts of a MISP event that came without it",
        "timestamp": max(written, key=int, default=event.get("timestamp")),
        "publish_timestamp": None,
    }


def _is_epoch(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12
