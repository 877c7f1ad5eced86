"""The hook of a warning into the Union's shared situational awareness: nis2 tags, and its JSON form.

Source: R34; domain 2.5 (taxonomies), 5.3 section 10; Recommendation C/2025/3445.
"""

from __future__ import annotations

import json
from typing import Any

from notifications.content import NONE_IDENTIFIED, UNKNOWN
from notifications.ewn import EwnView
from notifications.ewn_sections import Blueprint

HOOK = "leerp-blueprint-hook/1"


def nis2_tags(hook: Blueprint) -> tuple[str, ...]:
    """Machine tags of the MISP taxonomy ``nis2``; what is unknown has none."""
    tags = [
        f'nis2:nature-root-cause="{hook.root_cause}"',
        f'nis2:impact-severity="{hook.severity}"',
        f'nis2:impact-outlook="{hook.outlook}"',
    ]
    known = [sector for sector in hook.sectors if sector not in {UNKNOWN, NONE_IDENTIFIED}]
    return (*tags, *(f'nis2:impact-sectors-impacted="{sector}"' for sector in known))


def hook_document(view: EwnView) -> dict[str, Any]:
    """Section 10 as data, with what the whole EU chain asks first; of what ``view`` keeps only."""
    ewn = view.ewn
    document: dict[str, Any] = {
        "format": HOOK,
        "ewn": ewn.header.id,
        "version": ewn.header.version,
        "incident": ewn.incident_id,
        "exercise": ewn.exercise,
        "issued_at": ewn.issued_at.isoformat(),
        "next_update": ewn.header.next_update.isoformat(),
        "marking": list(view.marking.lines()),
        "bottom_line": list(ewn.bottom_line.lines),
        "malicious": ewn.bottom_line.malicious,
        "cross_border": ewn.bottom_line.cross_border,
        "class": ewn.status.threat_class,
        "impact": ewn.status.impact,
        "reach": ewn.status.reach,
    }
    if view.shows("blueprint"):
        document |= ewn.blueprint.model_dump(mode="json") | {"tags": list(nis2_tags(ewn.blueprint))}
    if view.shows("picture"):
        document |= {"countries": list(ewn.facts.countries), "victims": ewn.facts.victims}
    return document


def hook_json(view: EwnView) -> bytes:
    """``hook_document`` as a file."""
    return (json.dumps(hook_document(view), indent=2, ensure_ascii=False) + "\n").encode()
