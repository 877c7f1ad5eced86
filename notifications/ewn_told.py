"""Whether free words of a warning tell what a variant was to leave out.

An indicator that is dropped from a variant must not stand in a sentence that the variant keeps.
Source: domain 4.4 (PAP:RED never outside of the full variant), 5.3 (quality gate).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from notifications.ewn import EarlyWarning, EwnView
from notifications.products import Variant
from notifications.typesetting import defang

SHORTEST = 4
"""A shorter value stands in other words by chance."""
_SECTIONS = {
    "header": "header",
    "bottom_line": "bottom_line",
    "status": "status",
    "assessment": "assessment",
    "law_enforcement": "law_enforcement",
    "preservation": "preservation",
    "mitigation": "mitigation",
    "requests": "requests",
    "blueprint": "blueprint",
}
"""Components that are a section of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The place that tells, the number of the indicator that it tells of, and the first such variant."""

    section: str
    field: str
    indicator: int
    variant: Variant


def told_all_the_same(ewn: EarlyWarning) -> Iterator[Told]:
    """Every place where a variant tells of an indicator that it leaves out; each place once."""
    seen: set[tuple[str, str, int]] = set()
    for variant in Variant:
        view = ewn.view(variant)
        dropped = [
            (n, line.value, defang(line.value, line.type))
            for n, line in enumerate(ewn.indicators, 1)
            if not view.shows(f"indicator-{n}") and len(line.value) >= SHORTEST
        ]
        for section, field, text in _said(view) if dropped else ():
            for n, *forms in dropped:
                place = (section, field, n)
                if place not in seen and any(form.casefold() in text.casefold() for form in forms):
                    seen.add(place)
                    yield Told(section=section, field=field, indicator=n, variant=variant)


def _said(view: EwnView) -> Iterator[tuple[str, str, str]]:
    """Section, field and text of all that a variant says in words."""
    ewn = view.ewn
    for component, section in _SECTIONS.items():
        if view.shows(component):
            for field, text in _texts(getattr(ewn, section).model_dump(), ""):
                yield section, field, text
    if view.shows("picture"):
        for field, text in _texts(ewn.facts.model_dump(exclude={"timeline"}), ""):
            yield "facts", field, text
    for n, fact in enumerate(ewn.facts.timeline, 1):
        if view.shows(f"fact-{n}"):
            yield "facts", f"timeline.{n}.text", fact.text
    if view.shows("changes"):
        yield from _logged(view)


def _logged(view: EwnView) -> Iterator[tuple[str, str, str]]:
    for n, change in enumerate(view.ewn.changes, 1):
        yield "changes", f"{n}.text", change.text
        for number, item in enumerate(view.changes(n), 1):
            yield "changes", f"{n}.items.{number}", f"{item.before} {item.after}"


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield place, value
        case dict():
            for key, inner in value.items():
                yield from _texts(inner, f"{place}.{key}" if place else str(key))
        case tuple() | list():
            for n, inner in enumerate(value, 1):
                yield from _texts(inner, f"{place}.{n}")
        case _:
            return
