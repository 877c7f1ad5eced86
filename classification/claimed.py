"""What a cluster of reports claims, small enough to be kept and joined as reports come in.

It answers the one question that is asked of every cluster in a storm, whether it may be a major
attack, without reading all of its reports again. Joining is commutative, associative and idempotent,
so the claims of a cluster depend on the set of its reports only. Source: domain 3.3; R7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from classification.claims import (
    EVERYWHERE,
    SEVERAL_ESSENTIAL_SECTORS,
    Picture,
    worst_disruption,
)
from classification.collecting import disrupted_sectors, stated_criteria
from classification.evidence import Evidence
from protocol.profile import MOST_VICTIMS_NAMED, ClassificationRules


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claims of any number of reports in force, each taken as true."""

    criteria: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    sectors: frozenset[str] = frozenset()
    disrupted_sectors: frozenset[str] = frozenset()
    disruption: frozenset[str] = frozenset()
    self_propagating: bool = False
    organisations_min: int = 0
    victims: Mapping[str, int] | None = None
    """At least so many, by the one state that a report speaks of, and over all."""

    @classmethod
    def of(cls, item: Evidence, rules: ClassificationRules) -> Claimed:
        """The claims of one report; none where it was taken back."""
        if item.retracted:
            return NOTHING
        stated = stated_criteria(item, rules)
        victims = {}
        if item.victims_min:
            victims[EVERYWHERE] = item.victims_min
            if len(item.countries) == 1:
                victims[next(iter(item.countries))] = item.victims_min
        return cls(
            criteria=frozenset(c for c in stated if c in rules.impact_criteria),
            countries=item.countries,
            organisations=_told_apart(item.organisations),
            sectors=item.sectors,
            disrupted_sectors=disrupted_sectors(item, stated, rules),
            disruption=frozenset({item.disruption.value}),
            self_propagating=item.self_propagating,
            organisations_min=item.organisations_min,
            victims=victims or None,
        )

    def joined(self, other: Claimed) -> Claimed:
        """The claims of both."""
        return together((self, other))

    def picture(self, rules: ClassificationRules) -> Picture:
        """The situation if every claim is true; the same as ``Claims.claimed`` says."""
        criteria = self.criteria
        if SEVERAL_ESSENTIAL_SECTORS in rules.impact_criteria and len(self.disrupted_sectors) > 1:
            criteria |= {SEVERAL_ESSENTIAL_SECTORS}
        organisations = max(len(self.organisations), self.organisations_min)
        victims = dict(self.victims or {})
        over_all = victims.pop(EVERYWHERE, 0)
        return Picture(
            criteria=criteria,
            countries=self.countries,
            organisations=organisations,
            victims=max(over_all, sum(victims.values()), organisations, len(self.countries)),
            sectors=self.sectors,
            self_propagating=self.self_propagating,
            disruption=worst_disruption(self.disruption),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values without what nobody claims; lists are sorted."""
        return {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name in _NAMES
            if (value := getattr(self, name))
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Claimed:
        """Read what ``to_json`` made."""
        values: dict[str, Any] = {
            name: frozenset(value) if isinstance(value, list) else value
            for name, value in data.items()
        }
        return cls(**values)


_NAMES = tuple(field.name for field in fields(Claimed))
NOTHING = Claimed()


def together(claims: Sequence[Claimed]) -> Claimed:
    """What several, at least one, claim together."""
    victims: dict[str, int] = {}
    for each in claims:
        for scope, number in (each.victims or {}).items():
            victims[scope] = max(number, victims.get(scope, 0))
    nobody: frozenset[str] = frozenset()
    return Claimed(
        criteria=nobody.union(*(each.criteria for each in claims)),
        countries=nobody.union(*(each.countries for each in claims)),
        organisations=_told_apart(nobody.union(*(each.organisations for each in claims))),
        sectors=nobody.union(*(each.sectors for each in claims)),
        disrupted_sectors=nobody.union(*(each.disrupted_sectors for each in claims)),
        disruption=nobody.union(*(each.disruption for each in claims)),
        self_propagating=any(each.self_propagating for each in claims),
        organisations_min=max(each.organisations_min for each in claims),
        victims=victims or None,
    )


def _told_apart(names: frozenset[str]) -> frozenset[str]:
    """As many as any test asks for; which, depends on the set of names only."""
    return (
        names if len(names) <= MOST_VICTIMS_NAMED else frozenset(sorted(names)[:MOST_VICTIMS_NAMED])
    )
