"""NCISS: a weighted mean from 0 to 100 of eight categories, as one US agency sees one entity.

It is not made for several incidents that belong together, which is what the protocol is about. The
names of its priority levels are not shown, since their limits could not be verified.
Source: domain 3.2 (weights and values of the reference implementation CITE).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from classification.scores.basis import Basis
from classification.scores.result import (
    ScoreFacts,
    ScoreId,
    SideScore,
    together,
    unknown,
    whenever,
)
from protocol.report import Disruption


@dataclass(frozen=True, slots=True)
class Category:
    """One category: its weight, and the value of each option."""

    weight: int
    options: Mapping[str, int]

    def least(self) -> int:
        """The smallest that it adds to the sum."""
        return self.weight * min(self.options.values())

    def most(self) -> int:
        """The largest that it adds to the sum."""
        return self.weight * max(self.options.values())


CATEGORIES: Mapping[str, Category] = {
    "functional_impact": Category(6, {
        "no-impact": 0, "none-to-services": 20, "minimal-non-critical": 35,
        "minimal-critical": 40, "significant-non-critical": 50, "denial-non-critical": 60,
        "significant-critical": 70, "denial-critical-or-loss-of-control": 100,
    }),
    "observed_activity": Category(5, {
        "none": 0, "prepare": 40, "engage": 70, "presence": 80, "effect": 100,
    }),
    "location": Category(4, {
        "business-dmz": 30, "business-network": 40, "unknown": 50, "business-management": 60,
        "critical-dmz": 70, "critical-management": 80, "critical-systems": 90,
        "safety-systems": 100,
    }),
    "actor": Category(4, {
        "hacktivist": 20, "unwitting-insider": 30, "criminal": 40, "unknown": 50,
        "witting-insider": 65, "apt": 80, "apt-targeted": 100,
    }),
    "information_impact": Category(2, {
        "none": 0, "suspected": 10, "privacy": 20, "proprietary": 50,
        "destruction-non-critical": 60, "critical-system-data-breach": 70,
        "core-credentials": 80, "destruction-critical": 100,
    }),
    "recoverability": Category(4, {
        "regular": 20, "supplemented": 40, "extended": 60, "not-recoverable": 100,
    }),
    "dependency": Category(3, {
        "nuclear": 15, "agriculture-food": 20, "chemical": 20, "dams": 25, "emergency": 25,
        "commercial": 30, "health": 30, "banking": 35, "defence": 35, "government": 40,
        "critical-manufacturing": 50, "water": 60, "communications": 75, "transport": 75,
        "information-technology": 80, "energy": 100,
    }),
    "potential_impact": Category(6, {
        "minimal": 0, "low": 25, "moderate": 50, "high": 75, "severe": 100,
    }),
}  # fmt: skip
LEAST = sum(category.least() for category in CATEGORIES.values())
MOST = sum(category.most() for category in CATEGORIES.values())
SECTORS = {
    "energy": "energy",
    "transport": "transport",
    "banking": "banking",
    "financial": "banking",
    "health": "health",
    "drinking-water": "water",
    "waste-water": "water",
    "digital-infrastructure": "information-technology",
    "ict-services": "information-technology",
    "digital-providers": "information-technology",
    "public-administration": "government",
    "chemical": "chemical",
    "food": "agriculture-food",
    "manufacturing": "critical-manufacturing",
}
"""nis2 sector to NCISS sector [P]; sectors that NCISS does not have are left out."""
_FUNCTIONAL = {
    "attempt-blocked": "no-impact",
    "non-critical-degraded": "minimal-non-critical",
    "non-critical-denied": "denial-non-critical",
    "essential-service-disrupted": "significant-critical",
    "essential-service-sustained-denial": "denial-critical-or-loss-of-control",
    "control-plane-taken": "denial-critical-or-loss-of-control",
}
_INFORMATION = {
    "large-personal-data-breach": "privacy",
    "critical-destruction": "destruction-critical",
}


def _one_of(category: str) -> tuple[AfterValidator, WithJsonSchema]:
    options = CATEGORIES[category].options

    def known(option: str) -> str:
        if option not in options:
            raise ValueError(f"NCISS has no option {option!r} here: {', '.join(options)}")
        return option

    return AfterValidator(known), WithJsonSchema({"type": "string", "enum": list(options)})


Functional = Annotated[str, *_one_of("functional_impact")]
Activity = Annotated[str, *_one_of("observed_activity")]
Location = Annotated[str, *_one_of("location")]
Actor = Annotated[str, *_one_of("actor")]
Information = Annotated[str, *_one_of("information_impact")]
Recoverability = Annotated[str, *_one_of("recoverability")]
Dependency = Annotated[str, *_one_of("dependency")]
Potential = Annotated[str, *_one_of("potential_impact")]


class NcissFacts(ScoreFacts):
    """One option of each category."""

    functional_impact: Functional | None = Field(
        default=None, description="what the organisation cannot do any more"
    )
    observed_activity: Activity | None = Field(
        default=None, description="how far the attacker has come"
    )
    location: Location | None = Field(
        default=None, description="the innermost place where the attacker was seen"
    )
    actor: Actor | None = Field(default=None, description="the kind of attacker")
    information_impact: Information | None = Field(default=None, description="what became of data")
    recoverability: Recoverability | None = Field(
        default=None, description="with what means it can be recovered from"
    )
    dependency: Dependency | None = Field(
        default=None, description="the sector on which most others depend"
    )
    potential_impact: Potential | None = Field(
        default=None, description="what it may come to if nothing is done"
    )


def nciss(facts: NcissFacts, basis: Basis) -> SideScore:
    """The score to one decimal; with a category unknown, the span in which it lies."""
    known, inputs = together(facts, _derived(basis))
    missing = unknown(known, tuple(CATEGORIES))
    low = high = 0
    for name, category in CATEGORIES.items():
        option: str | None = getattr(known, name)
        low += category.least() if option is None else category.weight * category.options[option]
        high += category.most() if option is None else category.weight * category.options[option]
    span = (_scaled(low), _scaled(high))
    return SideScore(
        id=ScoreId.NCISS,
        title="CISA National Cyber Incident Scoring System, 0 to 100",
        source="domain 3.2; weights and values of cmu-sei/CITE",
        value=None if missing else f"{span[0]:.1f}",
        meaning=f"between {span[0]:.1f} and {span[1]:.1f} by what is known"
        if missing
        else "of 100; one entity's view with US weights, blind to incidents that belong together",
        missing=missing,
        inputs=inputs,
    )


def _scaled(total: int) -> float:
    return 100 * (total - LEAST) / (MOST - LEAST)


def _derived(basis: Basis) -> Mapping[str, object]:
    sectors = {SECTORS[s] for s in basis.sectors if s in SECTORS}
    return {
        **_gravest(
            "functional_impact", {_FUNCTIONAL[c] for c in basis.criteria & set(_FUNCTIONAL)}
        ),
        **whenever(basis.states("deep-compromise-several"), observed_activity="presence"),
        **whenever(basis.disruption is Disruption.OBSERVED, observed_activity="effect"),
        **_gravest(
            "information_impact", {_INFORMATION[c] for c in basis.criteria & set(_INFORMATION)}
        ),
        **_gravest("dependency", sectors),
    }


def _gravest(category: str, options: set[str]) -> Mapping[str, object]:
    values = CATEGORIES[category].options
    ordered = sorted(options, key=lambda option: (values[option], option))
    return {category: ordered[-1]} if ordered else {}
