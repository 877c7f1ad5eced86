"""The Early Warning Notification ``leerp-ewn/1``: one content and what each variant shows of it.

Source: domain 5.3; R29 to R34, R67.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, ValidationError

from notifications.content import Notice, Utc
from notifications.ewn_sections import (
    Blueprint,
    BottomLine,
    Change,
    ChangeItem,
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
    "gaps": Purpose.SITUATION,
    "law_enforcement": Purpose.CRIME,
    "preservation": Purpose.PROTECTION,
    "mitigation": Purpose.PROTECTION,
    "requests": Purpose.PROTECTION,
    "blueprint": Purpose.SITUATION,
    "provenance": Purpose.CRIME,
    "changes": Purpose.PROTECTION,
    "authors": Purpose.SITUATION,
}
"""What each part is for; ``picture``, ``gaps`` and ``authors`` are parts of sections 4, 5 and 12."""


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
        for number, change in enumerate(self.changes, 1):
            for n, item in enumerate(change.items, 1):
                yield Component(
                    id=f"change-{number}-{n}",
                    marking=self.marking.combined_with(item.marking),
                    provider="" if item.own else item.provider,
                    purpose=item.purpose,
                    personal_data=item.personal_data,
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

    def changes(self, number: int) -> tuple[ChangeItem, ...]:
        """What the ``number``-th entry of the change log (from 1) says to these readers."""
        items = self.ewn.changes[number - 1].items
        return tuple(item for n, item in enumerate(items, 1) if self.shows(f"change-{number}-{n}"))


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
