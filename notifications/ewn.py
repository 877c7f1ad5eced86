"""The Early Warning Notification ``leerp-ewn/1``: one content, its variants and its quality gate.

Source: domain 5.3; R29 to R34, R67.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field, ValidationError

from notifications.content import NONE_IDENTIFIED, Notice, Utc
from notifications.ewn_sections import (
    Blueprint,
    BottomLine,
    Change,
    Fact,
    Facts,
    Header,
    IndicatorLine,
    LawEnforcement,
    Mitigation,
    Preservation,
    Provenance,
    Requests,
    Status,
    TacticalAssessment,
)
from notifications.products import Component, Product, Purpose, Reduced, Variant
from protocol.errors import Refused
from protocol.markings import Marking, Pap
from protocol.stages import NoticeKind
from protocol.wording import Location, in_words

SECTIONS = {
    "marking": "0 Marking",
    "header": "1 Header",
    "bottom_line": "2 Bottom line",
    "status": "3 LEERP status",
    "facts": "4 Facts",
    "assessment": "5 Tactical assessment",
    "law_enforcement": "6 Law-enforcement angle",
    "preservation": "6 Law-enforcement angle",
    "mitigation": "7 Mitigation",
    "indicators": "8 Indicators",
    "requests": "9 Requests",
    "blueprint": "10 Blueprint hook",
    "provenance": "11 Provenance",
    "changes": "12 Change log",
}
"""Numbers and names of the sections, by field."""

_PURPOSES = {
    "header": Purpose.INFORMATION,
    "bottom_line": Purpose.INFORMATION,
    "status": Purpose.INFORMATION,
    "picture": Purpose.PROTECTION,
    "assessment": Purpose.PROTECTION,
    "law_enforcement": Purpose.CRIME,
    "preservation": Purpose.PROTECTION,
    "mitigation": Purpose.PROTECTION,
    "requests": Purpose.PROTECTION,
    "blueprint": Purpose.PROTECTION,
    "provenance": Purpose.CRIME,
    "changes": Purpose.PROTECTION,
}


class EarlyWarning(Notice):
    """An EWN with all its sections; ``marking`` (section 0) is the least that any part has."""

    kind: Literal[NoticeKind.EWN] = NoticeKind.EWN
    template: Literal["leerp-ewn/1"] = "leerp-ewn/1"
    marking: Marking
    issued_at: Utc
    header: Header
    bottom_line: BottomLine
    status: Status
    facts: Facts
    assessment: TacticalAssessment
    law_enforcement: LawEnforcement
    preservation: Preservation
    mitigation: Mitigation
    indicators: tuple[IndicatorLine, ...] = ()
    requests: Requests
    blueprint: Blueprint
    provenance: Provenance
    changes: tuple[Change, ...] = Field(min_length=1)

    def product(self) -> Product:
        """One component for each section, fact, its grading rationale, and indicator."""
        return Product(components=tuple(self._components()), content=self.written())

    def view(self, variant: Variant) -> EwnView:
        """What ``variant`` shows, and the list of what it leaves out."""
        reduced = self.product().variant(variant)
        return EwnView(
            ewn=self,
            reduced=reduced,
            timeline=tuple(
                FactView(fact=fact, sourced=reduced.keeps(f"fact-{n}-source"))
                for n, fact in enumerate(self.facts.timeline, 1)
                if reduced.keeps(f"fact-{n}")
            ),
            indicators=tuple(
                IndicatorView(line=line, pap=self.marking.combined_with(line.marking).pap)
                for n, line in enumerate(self.indicators, 1)
                if reduced.keeps(f"indicator-{n}")
            ),
        )

    def _components(self) -> Iterator[Component]:
        for name, purpose in _PURPOSES.items():
            yield Component(
                id=name,
                marking=self.marking,
                purpose=purpose,
                source_identity=name == "provenance",
            )
        for n, fact in enumerate(self.facts.timeline, 1):
            provider = "" if fact.own else fact.provider
            marking = self.marking.combined_with(fact.marking)
            yield Component(
                id=f"fact-{n}",
                marking=marking,
                provider=provider,
                purpose=fact.purpose,
                personal_data=fact.personal_data,
                item=fact.item,
                lowered=fact.lowered or "",
            )
            yield Component(
                id=f"fact-{n}-source",
                marking=marking,
                provider=provider,
                source_identity=True,
                item=fact.item,
                lowered=fact.lowered or "",
            )
        for n, line in enumerate(self.indicators, 1):
            yield Component(
                id=f"indicator-{n}",
                marking=self.marking.combined_with(line.marking),
                provider="" if line.own else line.provider,
                purpose=Purpose.PROTECTION,
                personal_data=line.personal_data,
                item=line.item,
                lowered=line.lowered or "",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """A fact of a variant; ``sourced`` when the variant also names provider and rationale."""

    fact: Fact
    sourced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorView:
    """An indicator of a variant, with what may be done with it."""

    line: IndicatorLine
    pap: Pap


@dataclass(frozen=True, slots=True, kw_only=True)
class EwnView:
    """One variant of an EWN, ready for its template."""

    ewn: EarlyWarning
    reduced: Reduced
    timeline: tuple[FactView, ...]
    indicators: tuple[IndicatorView, ...]

    @property
    def marking(self) -> Marking:
        return self.reduced.marking

    def shows(self, section: str) -> bool:
        return self.reduced.keeps(section)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of what is not shown, for officers and for the reader; no content, no reason."""
        names = (_name(omission.component) for omission in self.reduced.omissions)
        return tuple(dict.fromkeys(names))


def _name(component: str) -> str:
    kind, _, rest = component.partition("-")
    match kind:
        case "fact" if rest.endswith("-source"):
            return "source and grading rationale of the facts"
        case "fact" | "indicator":
            return f"{kind} {rest}"
        case "picture":
            return f"section {SECTIONS['facts']}: sectors, countries and victims"
        case "law_enforcement":
            return f"section {SECTIONS[component]}: offences, links, lead"
        case "preservation":
            return f"section {SECTIONS[component]}: evidence to preserve"
        case _:
            return f"section {SECTIONS[component]}"


def early_warning(document: Mapping[str, Any]) -> EarlyWarning:
    """Build an EWN from a document.

    Raises:
        Refused: ``ewn-incomplete``; names each section and field that is missing or wrong.
    """
    try:
        return EarlyWarning.model_validate(document)
    except ValidationError as exc:
        raise Refused("ewn-incomplete", in_words(exc, _in_its_section)) from None


def _in_its_section(location: Location) -> str:
    place, *rest = location or ("the notice",)
    return f"section {SECTIONS.get(str(place), place)}, {'.'.join(map(str, rest)) or 'all of it'}"


def check_ewn(ewn: EarlyWarning) -> list[str]:
    """The quality gate: what must be put right before release (domain 5.3); empty when it may go."""
    problems = [
        f"section {SECTIONS['facts']}: fact {n} is not graded: give it a 4x4 grade, X4 if unjudged"
        for n, fact in enumerate(ewn.facts.timeline, 1)
        if fact.grade is None
    ]
    if not [line for line in ewn.preservation.preserve if line.casefold() != NONE_IDENTIFIED]:
        problems.append(
            f"section {SECTIONS['preservation']}: name at least one piece of evidence to preserve"
        )
    problems += [
        f"{place}: the time is not in UTC: give it as UTC"
        for place, at in _times(ewn.model_dump(), "")
        if at.utcoffset() != timedelta(0)
    ]
    header = ewn.header
    if header.acknowledge_by <= ewn.issued_at or header.next_update <= ewn.issued_at:
        problems.append(
            f"section {SECTIONS['header']}: next update and acknowledgement must be due after issue"
        )
    return problems


def _times(value: Any, place: str) -> Iterator[tuple[str, datetime]]:
    match value:
        case datetime():
            yield place, value
        case dict():
            for key, inner in value.items():
                yield from _times(
                    inner, f"{place}.{key}" if place else f"section {SECTIONS.get(key, key)}"
                )
        case tuple() | list():
            for n, inner in enumerate(value, 1):
                yield from _times(inner, f"{place}.{n}")
        case _:
            return
