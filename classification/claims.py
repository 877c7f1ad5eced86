"""What the reports in force claim, and the situation that the claims amount to.

Source: domain 3.3, 3.4 (G4); R11, R13.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from classification.support import Names, Number, Reports, Support
from protocol.countries import EU_NEXUS
from protocol.profile import ClassificationRules
from protocol.report import Cause, Disruption

SEVERAL_ESSENTIAL_SECTORS = "several-essential-sectors"
EVERYWHERE = ""
"""Scope of a number of victims that is not of one state."""


class FactKind(StrEnum):
    """The sorts of facts that the matrix and the triggers look at."""

    CRITERION = "criterion"
    COUNTRY = "country"
    SECTOR = "sector"
    ORGANISATIONS = "organisations"
    VICTIMS = "victims"
    SELF_PROPAGATION = "self-propagation"
    DISRUPTION = "disruption"


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One fact; ``name`` is a criterion, a state, a sector, or the number that is reached."""

    kind: FactKind
    name: str = ""


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


@dataclass(slots=True, kw_only=True)
class Claims:
    """All claims of the evidence in force, by what they claim."""

    items: int = 0
    unjudged: int = 0
    ungraded: int = 0
    withdrawn: int = 0
    criteria: Names[str] = field(default_factory=Names)
    unknown_criteria: Names[str] = field(default_factory=Names)
    countries: Names[str] = field(default_factory=Names)
    organisations: Names[str] = field(default_factory=Names)
    sectors: Names[str] = field(default_factory=Names)
    disrupted_sectors: Names[str] = field(default_factory=Names)
    disrupted_by: dict[frozenset[str], Names[str]] = field(default_factory=dict)
    """The same, by the criteria of which a report needs one to say that a sector is disrupted."""
    several_sectors: Support = field(default_factory=Support)
    """Whoever claims any of ``disrupted_sectors``."""
    self_propagation: Support = field(default_factory=Support)
    disruption: Names[Disruption] = field(default_factory=Names)
    causes: Names[Cause] = field(default_factory=Names)
    """Stated causes; a non-malicious one only where the report calls it clear."""
    causes_in_charge: Names[Cause] = field(default_factory=Names)
    """The same, of operators and authorities in charge only."""
    organisations_number: Number = field(default_factory=Number)
    victims: dict[str, Number] = field(default_factory=dict)
    """By the one state that a report speaks of, and over all."""

    def claimed(
        self, rules: ClassificationRules, refuted: Collection[Fact] = frozenset()
    ) -> Picture:
        """The situation if every claim is true but those that are ``refuted``."""
        return self._picture(rules, refuted, confirmed_only=False)

    def confirmed(
        self, rules: ClassificationRules, refuted: Collection[Fact] = frozenset()
    ) -> Picture:
        """The situation by confirmed claims alone, without those that are ``refuted``."""
        return self._picture(rules, refuted, confirmed_only=True)

    def criterion_reports(self, criterion: str) -> Reports:
        """Who claims ``criterion``, or makes it follow from disrupted sectors."""
        return self.criterion_support(criterion).reports()

    def criterion_support(self, criterion: str) -> Support:
        """As ``criterion_reports``, with grades and origins."""
        return self.criteria.get(criterion, self.several_sectors)

    def _picture(
        self, rules: ClassificationRules, refuted: Collection[Fact], *, confirmed_only: bool
    ) -> Picture:
        criteria = _kept(self.criteria, confirmed_only=confirmed_only)
        countries = _kept(self.countries, confirmed_only=confirmed_only)
        names = self.organisations.confirmed if confirmed_only else self.organisations
        several = SEVERAL_ESSENTIAL_SECTORS in rules.impact_criteria
        if several and self._sectors_disrupted(refuted, confirmed_only=confirmed_only) > 1:
            criteria |= {SEVERAL_ESSENTIAL_SECTORS}
        organisations = max(len(names), _least(self.organisations_number, confirmed_only))
        over_all, by_state = 0, 0
        for scope, number in self.victims.items():
            # Reports that each speak of one state count different victims, so these do add up.
            if scope == EVERYWHERE:
                over_all = _least(number, confirmed_only)
            else:
                by_state += _least(number, confirmed_only)
        spreading = self.self_propagation
        picture = Picture(
            criteria=criteria,
            countries=countries,
            organisations=organisations,
            victims=max(over_all, by_state, organisations, len(countries)),
            sectors=_kept(self.sectors, confirmed_only=confirmed_only),
            self_propagating=spreading.confirmed if confirmed_only else spreading.total > 0,
            disruption=worst_disruption(_kept(self.disruption, confirmed_only=confirmed_only)),
        )
        return without(picture, refuted) if refuted else picture

    def _sectors_disrupted(self, refuted: Collection[Fact], *, confirmed_only: bool) -> int:
        """How many essential sectors are, by what is not refuted."""
        if not refuted:
            names = self.disrupted_sectors
            return len(names.confirmed if confirmed_only else names)
        if Fact(FactKind.DISRUPTION) in refuted:
            return 0
        gone = _named(refuted, FactKind.CRITERION)
        if not gone:
            kept = _kept(self.disrupted_sectors, confirmed_only=confirmed_only)
        else:
            standing = [by for grounds, by in self.disrupted_by.items() if not grounds <= gone]
            kept = frozenset(
                sector
                for sector in {sector for by in standing for sector in by}
                if not confirmed_only
                or _confirmed_together([by[sector] for by in standing if sector in by])
            )
        return len(kept - _named(refuted, FactKind.SECTOR))


def without(picture: Picture, refuted: Collection[Fact]) -> Picture:
    """``picture`` with the refuted facts taken out.

    A refuted fact counts for nothing, whoever reports it. Numbers are facts of their own: a refuted
    state takes no victims along, and a refuted number leaves what lies just below it.
    """
    organisations = _below(picture.organisations, _named(refuted, FactKind.ORGANISATIONS))
    return Picture(
        criteria=picture.criteria - _named(refuted, FactKind.CRITERION),
        countries=picture.countries - _named(refuted, FactKind.COUNTRY),
        organisations=organisations,
        victims=_below(picture.victims, _named(refuted, FactKind.VICTIMS)),
        sectors=picture.sectors - _named(refuted, FactKind.SECTOR),
        self_propagating=picture.self_propagating
        and Fact(FactKind.SELF_PROPAGATION) not in refuted,
        disruption=Disruption.NONE if Fact(FactKind.DISRUPTION) in refuted else picture.disruption,
    )


def worst_disruption(stated: Iterable[str]) -> Disruption:
    """What counts of several statements: disrupted before imminent, before none, before unknown."""
    order = (Disruption.OBSERVED, Disruption.IMMINENT, Disruption.NONE, Disruption.UNKNOWN)
    return next((d for d in order if d in stated), Disruption.UNKNOWN)


def _kept(names: Names[str] | Names[Disruption], *, confirmed_only: bool) -> frozenset[str]:
    return frozenset(names.confirmed) if confirmed_only else frozenset(names)


def _least(number: Number, confirmed_only: bool) -> int:
    return number.confirmed if confirmed_only else number.claimed


def _named(refuted: Collection[Fact], kind: FactKind) -> frozenset[str]:
    return frozenset(fact.name for fact in refuted if fact.kind is kind)


def _below(number: int, limits: frozenset[str]) -> int:
    return min([number, *(int(limit) - 1 for limit in limits)])


def _confirmed_together(supports: list[Support]) -> bool:
    return any(support.alone for support in supports) or (
        len({origin for support in supports for origin in support.origins}) > 1
    )
