"""Reports that may stand for each other when single reports change, and those that cannot matter.

A claim is firm when it stays stated and confirmed whichever ``changes`` reports are regraded or
withdrawn; what a report adds to firm claims alone cannot matter and is left out. Reports that are
left with the same contribution, strength and origin are one kind: to exchange two of them changes
names and no result. An origin, and an organisation, that one report alone has is told apart from
others by name only, so all such are alike. Source: domain 3.3, 3.4; R11, R13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from classification.claims import (
    EVERYWHERE,
    SEVERAL_ESSENTIAL_SECTORS,
    Claims,
    Fact,
    FactKind,
)
from classification.collecting import (
    DISRUPTED,
    best_first,
    disrupted_sectors,
    grounds_of,
    stated_criteria,
)
from classification.evidence import RISK_TO_LIFE, Evidence
from classification.gates import excluding_causes
from classification.spans import Numbers
from classification.support import Support
from protocol.countries import EU_NEXUS
from protocol.profile import ClassificationRules, Profile
from protocol.report import Cause, ImpactLevel

Contribution = tuple[str, ...]
"""What is contributed: a ``FactKind`` or one of the words below, and its particulars."""
SECTOR_DISRUPTED = "sector-disrupted"
CAUSE = "cause"
_FEW = (1, 2)
"""Organisations at which the reach changes."""
Name = TypeVar("Name", bound=str)
_Signature = tuple[bool, bool, bool, str, frozenset[Contribution]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Some reports in force that are alike."""

    reports: tuple[Evidence, ...]
    """The best-graded of them, as many as changes are looked at together."""
    alike: int
    alone: bool
    """Whether they are good enough alone, or as a pair."""
    pair: bool
    contributions: frozenset[Contribution]
    """What they contribute to claims that are not firm."""
    fragile: frozenset[Contribution]
    """That of it which could be gone altogether if so many reports were withdrawn."""

    @property
    def graded(self) -> bool:
        """Whether somebody has graded them."""
        return self.reports[0].grade is not None

    @property
    def sorts(self) -> frozenset[str]:
        """The sorts of facts that they contribute to."""
        return frozenset(sort for sort, *_ in self.contributions)


def kinds_of(
    reports: Iterable[Evidence], claims: Claims, profile: Profile, changes: int
) -> tuple[Kind, ...]:
    """The kinds of those reports in force that may matter when up to ``changes`` things change.

    ``claims`` are those of ``reports``.
    """
    rules = profile.classification
    live = best_first((item for item in reports if not item.retracted), rules)
    loose = Loose(claims, [item for _, item in live], profile, changes)
    regrading = 0 < claims.ungraded <= changes
    found = [
        (strength, item, contributed)
        for strength, item in live
        for contributed in [loose.of(item)]
        if contributed or (regrading and item.grade is None)
    ]
    origins = Counter(item.origin for _, item, _ in found)
    groups: dict[_Signature, list[Evidence]] = {}
    for strength, item, contributed in found:
        origin = item.origin if origins[item.origin] > 1 else ""
        signature = (strength.alone, strength.pair, item.grade is None, origin, contributed)
        groups.setdefault(signature, []).append(item)
    return tuple(
        Kind(
            reports=tuple(group[:changes]),
            alike=len(group),
            alone=alone,
            pair=pair,
            contributions=contributed,
            fragile=frozenset(c for c in contributed if c[0] != CAUSE and loose.fragile(c)),
        )
        for (alone, pair, _, _, contributed), group in groups.items()
    )


class Loose:
    """What is not firm in an incident's claims against so many changes."""

    def __init__(
        self, claims: Claims, live: list[Evidence], profile: Profile, changes: int
    ) -> None:
        rules = profile.classification
        self._rules = rules
        self._claims = claims
        self._changes = changes
        self._numbers = Numbers.of(claims, live, changes)
        self._thresholds = thresholds(rules)
        self.victims = self._numbers.victims_cross(self._thresholds)
        self.organisations = self.victims or self._numbers.organisations_cross(_FEW)
        self.criteria = _loose_criteria(claims, rules, changes)
        # So many firm ones remain whichever are refuted, and then the others cannot matter.
        enough = max(rules.many_states, rules.several_states, 1) + changes
        states = _loose(claims.countries, EU_NEXUS, changes, enough=enough)
        self.countries = states | (
            frozenset(claims.countries) - EU_NEXUS if self.victims else frozenset()
        )
        self.sectors = _loose(claims.sectors, rules.essential_sectors, changes, enough=changes)
        self.disruption = _loose(claims.disruption, DISRUPTED, changes, enough=1)
        self.spreading = not claims.self_propagation.outlives(changes)
        self.several = SEVERAL_ESSENTIAL_SECTORS in rules.impact_criteria
        self.grounds = {
            (grounds, sector)
            for grounds, by in claims.disrupted_by.items()
            for sector, support in by.items()
            if not support.outlives(changes)
        }
        self.causes = _loose_causes(claims, profile, changes)

    def of(self, item: Evidence) -> frozenset[Contribution]:
        """What ``item`` adds to loose claims."""
        stated = stated_criteria(item, self._rules)
        found: set[Contribution] = {(FactKind.CRITERION, name) for name in stated & self.criteria}
        found |= {(FactKind.COUNTRY, name) for name in item.countries & self.countries}
        found |= {(FactKind.SECTOR, name) for name in item.sectors & self.sectors}
        if item.disruption in self.disruption:
            found.add((FactKind.DISRUPTION,))
        if item.self_propagating and self.spreading:
            found.add((FactKind.SELF_PROPAGATION,))
        if self.several and self.grounds:
            grounds = grounds_of(stated, self._rules)
            found |= {
                (SECTOR_DISRUPTED, sector, *sorted(grounds))
                for sector in disrupted_sectors(item, stated, self._rules)
                if (grounds, sector) in self.grounds
            }
        if item.cause in self.causes and (item.cause is Cause.MALICIOUS or item.cause_clear):
            found.add((CAUSE, item.cause, str(item.cause_by_authority)))
        return frozenset(found.union(self._numbers_of(item)))

    def fragile(self, contribution: Contribution) -> bool:
        """Whether nobody may be left who claims this when so many reports are withdrawn."""
        sort, *rest = contribution
        victims = self._numbers.claimed_victims_cross(self._thresholds)
        if sort == FactKind.VICTIMS:
            return victims
        if sort == FactKind.ORGANISATIONS:
            return victims or self._numbers.claimed_organisations_cross(_FEW)
        return self._claimants(sort, rest) <= self._changes

    def _claimants(self, sort: str, rest: list[str]) -> int:
        """How many reports claim this."""
        match sort:
            case FactKind.CRITERION:
                return self._claims.criteria[rest[0]].total
            case FactKind.COUNTRY:
                return self._claims.countries[rest[0]].total
            case FactKind.SECTOR:
                return self._claims.sectors[rest[0]].total
            case FactKind.DISRUPTION:
                stated = self._claims.disruption
                return sum(stated[d].total for d in DISRUPTED if d in stated)
            case FactKind.SELF_PROPAGATION:
                return self._claims.self_propagation.total
            case _:
                sector, *grounds = rest
                return self._claims.disrupted_by[frozenset(grounds)][sector].total

    def _numbers_of(self, item: Evidence) -> Iterator[Contribution]:
        if self.victims and item.victims_min:
            scope = next(iter(item.countries)) if len(item.countries) == 1 else EVERYWHERE
            yield (FactKind.VICTIMS, str(item.victims_min), scope)
        if not self.organisations:
            return
        if item.organisations_min:
            yield (FactKind.ORGANISATIONS, "at least", str(item.organisations_min))
        named = self._claims.organisations
        shared = {name for name in item.organisations if named[name].total > 1}
        yield from ((FactKind.ORGANISATIONS, "named", name) for name in shared)
        if own := len(item.organisations) - len(shared):
            yield (FactKind.ORGANISATIONS, "own", str(own))


def carries_trigger(contributions: Iterable[Contribution]) -> bool:
    """Whether a trigger may rest on these."""
    return any(
        sort in (FactKind.SECTOR, FactKind.SELF_PROPAGATION)
        or (sort, *rest) == (FactKind.CRITERION, RISK_TO_LIFE)
        for sort, *rest in contributions
    )


def firm(claims: Claims, fact: Fact, changes: int) -> bool:
    """Whether a state or a sector stays stated and confirmed whichever reports change."""
    names = claims.countries if fact.kind is FactKind.COUNTRY else claims.sectors
    support = names.get(fact.name)
    return support is not None and support.outlives(changes)


def thresholds(rules: ClassificationRules) -> tuple[int, ...]:
    """The numbers of victims at which the reach changes, ascending."""
    return tuple(sorted({2, rules.many_victims_one_state, rules.many_victims}))


def _loose(
    names: Mapping[Name, Support], relevant: frozenset[Name], changes: int, *, enough: int
) -> frozenset[Name]:
    mine = {name: by for name, by in names.items() if name in relevant}
    loose = frozenset(name for name, by in mine.items() if not by.outlives(changes))
    return frozenset() if len(mine) - len(loose) >= enough else loose


def _loose_criteria(claims: Claims, rules: ClassificationRules, changes: int) -> frozenset[str]:
    levels = rules.impact_criteria
    firm_levels = [levels[c] for c, by in claims.criteria.items() if by.outlives(changes)]
    return frozenset(
        c
        for c, by in claims.criteria.items()
        if levels[c] is not ImpactLevel.I0
        and not by.outlives(changes)
        # As with states: one as grave remains whichever are refuted.
        and (c == RISK_TO_LIFE or sum(firm >= levels[c] for firm in firm_levels) < changes)
    )


def _loose_causes(claims: Claims, profile: Profile, changes: int) -> frozenset[Cause]:
    """None where enough reports say malicious: then no other cause can become clear."""
    malicious = claims.causes.get(Cause.MALICIOUS)
    if malicious is not None and _credible_items(malicious) > changes:
        return frozenset()
    return excluding_causes(profile) | {Cause.MALICIOUS}


def _credible_items(support: Support) -> int:
    return max(support.singles, sum(support.origins.values()))
