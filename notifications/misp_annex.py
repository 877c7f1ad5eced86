"""A variant of a warning as a MISP event, made by PyMISP itself.

It holds what the variant keeps and nothing else. ``to_ids`` is set where the PAP lets an indicator be
blocked or probed for, so that no sensor acts on what may only be looked at. Source: domain 4.3, 6.6.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from pymisp import MISPEvent

from classification.conversion import to_admiralty
from notifications.blueprint import nis2_tags
from notifications.ewn import EwnView, IndicatorView
from protocol.markings import Pap, Tlp

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:leerp:misp")
DISTRIBUTION: Mapping[Tlp, int] = {
    Tlp.CLEAR: 3,
    Tlp.GREEN: 2,
    Tlp.AMBER: 1,
    Tlp.AMBER_STRICT: 0,
    Tlp.RED: 0,
}
"""How far a MISP instance passes the event on: to all, connected communities, its own, nobody."""
ACTIONABLE = frozenset({Pap.CLEAR, Pap.GREEN})
_THREAT_LEVEL = {"C4": 1, "C3": 1, "C2": 2, "C1": 3}
_UNDEFINED, _ONGOING, _INHERIT = 4, 1, 5
_TYPES: Mapping[str, tuple[str, str]] = {
    "ip": ("ip-dst", "Network activity"),
    "domain": ("domain", "Network activity"),
    "url": ("url", "Network activity"),
    "email": ("email-src", "Payload delivery"),
    "sha256": ("sha256", "Payload delivery"),
    "sha1": ("sha1", "Payload delivery"),
    "md5": ("md5", "Payload delivery"),
}
_BITCOIN = re.compile(r"(bc1|[13])[0-9A-Za-z]{24,61}")


def misp_event(view: EwnView) -> bytes:
    """The event in JSON, with tags for TLP, PAP, nis2 and the grade of each indicator.

    The same view makes the same bytes.
    """
    ewn = view.ewn
    event = MISPEvent()
    drill = "EXERCISE - " if ewn.exercise else ""
    event.from_dict(
        uuid=_uuid(ewn.incident_id, view.reduced.variant),
        info=f"{drill}{ewn.header.id}: {ewn.bottom_line.lines[0]}",
        date=ewn.issued_at.date(),
        distribution=DISTRIBUTION[view.marking.tlp],
        threat_level_id=_THREAT_LEVEL.get(ewn.status.threat_class, _UNDEFINED),
        analysis=_ONGOING,
        published=False,
    )
    for tag in _tags(view):
        event.add_tag(tag)
    event.add_attribute(
        "text",
        f"{ewn.header.id} version {ewn.header.version}, {view.reduced.variant} variant",
        category="Internal reference",
        uuid=_uuid(ewn.header.id, view.reduced.variant, "reference"),
        distribution=_INHERIT,
        to_ids=False,
    )
    for item in view.indicators:
        _add(event, view, item)
    return _as_file(json.loads(event.to_json()), int(ewn.issued_at.timestamp()))


def _as_file(event: dict[str, Any], at: int) -> bytes:
    """In the envelope of MISP's own exports, with the times that PyMISP leaves out of what is new."""
    for part in (event, *event["Attribute"]):
        part["timestamp"] = str(at)
    document = {"Event": event}
    return f"{json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)}\n".encode()


def _add(event: Any, view: EwnView, item: IndicatorView) -> None:
    line, ewn = item.line, view.ewn
    marking = ewn.marking.combined_with(line.marking)
    kind, category = _kind(line.type, line.value)
    seen: dict[str, Any] = {}
    if line.first_seen and line.last_seen and line.first_seen <= line.last_seen:
        seen = {"first_seen": line.first_seen, "last_seen": line.last_seen}
    attribute = event.add_attribute(
        kind,
        line.value,
        category=category,
        uuid=_uuid(ewn.incident_id, line.type, line.value),
        distribution=_INHERIT,
        to_ids=item.pap in ACTIONABLE and kind not in {"text", "btc"},
        comment=f"evaluation {line.grade} (Europol 4x4), valid until {line.valid_until:%Y-%m-%d %H:%M} UTC",
        **seen,
    )
    graded = to_admiralty(line.grade)
    for tag in (
        f"tlp:{str(marking.tlp).lower()}",
        f"PAP:{item.pap}",
        f'admiralty-scale:source-reliability="{graded.source}"',
        f'admiralty-scale:information-credibility="{graded.credibility}"',
    ):
        attribute.add_tag(tag)


def _kind(kind: str, value: str) -> tuple[str, str]:
    if kind == "wallet":
        return ("btc" if _BITCOIN.fullmatch(value) else "text", "Financial fraud")
    return _TYPES[kind]


def _tags(view: EwnView) -> Iterator[str]:
    yield f"tlp:{str(view.marking.tlp).lower()}"
    yield f"PAP:{view.marking.pap}"
    if view.ewn.exercise:
        yield "leerp:exercise"
    yield f'leerp:variant="{view.reduced.variant}"'
    if view.shows("blueprint"):
        yield from nis2_tags(view.ewn.blueprint)


def _uuid(*names: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "|".join(names)))
