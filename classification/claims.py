"""What the reports in force claim, who supports each claim, and which claims are confirmed.

A claim is confirmed by one item of the profile's grade for a single item, or by two items of
independent origin of its grade for a pair.
Source: domain 3.4 (G4); R11, R13.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from classification.evidence import Evidence
from protocol.countries import EU_NEXUS
from protocol.profile import ClassificationRules
from protocol.report import Cause, Disruption

LISTED = 10
"""So many report ids stand on a record; the rest is a number."""
NAMED = 3
"""So many of them stand in a sentence."""
SEVERAL_ESSENTIAL_SECTORS = "several-essential-sectors"
EVERYWHERE = ""
"""Scope of a number of victims that is not of one state."""


class Reports(BaseModel):
    """The best-graded reports behind a statement, and how many there are."""

    model_config = ConfigDict(frozen=True)

    ids: tuple[str, ...] = ()
    total: int = 0

    def __str__(self) -> str:
        more = f" and {self.total - NAMED} more" if self.total > NAMED else ""
        return f"{self.total} report(s): {', '.join(self.ids[:NAMED])}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """What a grade is worth for confirming, and its place among the grades, best first."""

    place: tuple[int, int, int]
    alone: bool
    pair: bool


@dataclass(slots=True)
class Support:
    """Who supports one claim; filled while the evidence is read, best-graded items first."""

    ids: list[str] = field(default_factory=list)
    total: int = 0
    alone: bool = False
    first_origin: str | None = None
    """Origin of the first item that is good enough for a pair."""
    paired: bool = False

    def add(self, item: Evidence, strength: Strength) -> None:
        """Count ``item`` in."""
        self.total += 1
        if len(self.ids) < LISTED:
            self.ids.append(item.report_id)
        self.alone = self.alone or strength.alone
        if strength.pair:
            if self.first_origin is None:
                self.first_origin = item.origin
            elif self.first_origin != item.origin:
                self.paired = True

    @property
    def confirmed(self) -> bool:
        """One item good enough alone, or two of independent origin good enough as a pair."""
        return self.alone or self.paired

    @property
    def credible(self) -> bool:
        """At least one item that would count towards a confirmation."""
        return self.alone or self.first_origin is not None

    def reports(self) -> Reports:
        """For the record."""
        return Reports(ids=tuple(self.ids), total=self.total)


@dataclass(slots=True)
class Number:
    """The largest "at least so many" that is claimed, and the largest that is confirmed."""

    claimed: int = 0
    alone: int = 0
    by_origin: dict[str, int] = field(default_factory=dict)

    def add(self, value: int, item: Evidence, strength: Strength) -> None:
        """Count ``item``'s ``value`` in."""
        self.claimed = max(self.claimed, value)
        if strength.alone:
            self.alone = max(self.alone, value)
        if strength.pair:
            self.by_origin[item.origin] = max(self.by_origin.get(item.origin, 0), value)

    @property
    def confirmed(self) -> int:
        """What one good item says, or what two independent ones both reach."""
        second = sorted(self.by_origin.values())[-2] if len(self.by_origin) > 1 else 0
        return max(self.alone, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The situation that a set of claims amounts to."""

    criteria: frozenset[str]
    countries: frozenset[str]
    organisations: int
    victims: int
    sectors: frozenset[str]
    self_propagating: bool
    disruption: Disruption

    @property
    def member_states(self) -> frozenset[str]:
        """The affected states that belong to the EU or the EEA."""
        return self.countries & EU_NEXUS


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """All claims of the evidence in force, by what they claim."""

    items: int
    unjudged: int
    ungraded: int
    withdrawn: int
    criteria: dict[str, Support] = field(default_factory=dict)
    unknown_criteria: dict[str, Support] = field(default_factory=dict)
    countries: dict[str, Support] = field(default_factory=dict)
    organisations: dict[str, Support] = field(default_factory=dict)
    sectors: dict[str, Support] = field(default_factory=dict)
    disrupted_sectors: dict[str, Support] = field(default_factory=dict)
    several_sectors: Support = field(default_factory=Support)
    """Whoever claims any of ``disrupted_sectors``."""
    self_propagation: Support = field(default_factory=Support)
    disruption: dict[str, Support] = field(default_factory=dict)
    causes: dict[Cause, Support] = field(default_factory=dict)
    """Stated causes; a non-malicious one only where the report calls it clear."""
    causes_in_charge: dict[Cause, Support] = field(default_factory=dict)
    """The same, of operators and authorities in charge only."""
    organisations_number: Number = field(default_factory=Number)
    victims: dict[str, Number] = field(default_factory=dict)
    """By the one state that a report speaks of, and over all."""

    def claimed(self, rules: ClassificationRules) -> Picture:
        """The situation if every claim is true."""
        return self._picture(rules, confirmed_only=False)

    def confirmed(self, rules: ClassificationRules) -> Picture:
        """The situation by confirmed claims alone."""
        return self._picture(rules, confirmed_only=True)

    def criterion_reports(self, criterion: str) -> Reports:
        """Who claims ``criterion``, or makes it follow from disrupted sectors."""
        return self.criteria.get(criterion, self.several_sectors).reports()

    def _picture(self, rules: ClassificationRules, *, confirmed_only: bool) -> Picture:
        def kept(supports: Mapping[str, Support]) -> frozenset[str]:
            return frozenset(k for k, s in supports.items() if s.confirmed or not confirmed_only)

        def least(number: Number) -> int:
            return number.confirmed if confirmed_only else number.claimed

        criteria, countries = kept(self.criteria), kept(self.countries)
        several = SEVERAL_ESSENTIAL_SECTORS in rules.impact_criteria
        if several and len(kept(self.disrupted_sectors)) > 1:
            criteria |= {SEVERAL_ESSENTIAL_SECTORS}
        organisations = max(len(kept(self.organisations)), least(self.organisations_number))
        victims = {scope: least(number) for scope, number in self.victims.items()}
        # Reports that each speak of one state count different victims, so these do add up.
        over_all = victims.pop(EVERYWHERE, 0)
        return Picture(
            criteria=criteria,
            countries=countries,
            organisations=organisations,
            victims=max(over_all, sum(victims.values()), organisations, len(countries)),
            sectors=kept(self.sectors),
            self_propagating=bool(self.self_propagation.total)
            and (self.self_propagation.confirmed or not confirmed_only),
            disruption=worst_disruption(kept(self.disruption)),
        )


def worst_disruption(stated: Iterable[str]) -> Disruption:
    """What counts of several statements: disrupted before imminent, before none, before unknown."""
    order = (Disruption.OBSERVED, Disruption.IMMINENT, Disruption.NONE, Disruption.UNKNOWN)
    return next((d for d in order if d in stated), Disruption.UNKNOWN)
