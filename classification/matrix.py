"""The Threat Classification Matrix: impact and reach, the cell they meet in, and the cap K1.

A look-up and not a score: every cell can be disputed by itself, and victims that belong
together raise the reach.
Source: domain 3.3, matrix ``leerp-tcm/1``; R13, R14.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from classification.claims import Picture
from classification.collecting import DISRUPTED
from protocol.countries import EU_NEXUS
from protocol.profile import ClassificationRules
from protocol.report import Disruption, ImpactLevel


class ReachLevel(StrEnum):
    """Axis P: how far the attack reaches, now or imminently."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class ThreatClass(StrEnum):
    """C0 negligible, C1 low, C2 elevated, C3 high, C4 emergency."""

    C0 = "C0"
    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a picture stands in the matrix."""

    impact: ImpactLevel
    deciding: tuple[str, ...]
    """The criteria that give the impact level."""
    reach: ReachLevel
    reach_reason: str
    before_cap: ThreatClass
    threat_class: ThreatClass


def place(
    picture: Picture, probable_countries: frozenset[str], rules: ClassificationRules
) -> Placement:
    """Place ``picture`` in the matrix.

    ``probable_countries`` are states that officers hold for probably affected; they count for
    the imminent reach of what spreads by itself.
    """
    impact = impact_level(picture.criteria, rules)
    reach, reason = reach_level(picture, probable_countries, rules)
    before_cap = cell(impact, reach, rules)
    return Placement(
        impact=impact,
        deciding=tuple(sorted(c for c in picture.criteria if rules.impact_criteria[c] is impact)),
        reach=reach,
        reach_reason=reason,
        before_cap=before_cap,
        threat_class=capped(before_cap, picture.disruption, rules),
    )


def impact_level(criteria: frozenset[str], rules: ClassificationRules) -> ImpactLevel:
    """The highest level of the criteria met; I0 of none. All must be known to the profile."""
    return max((rules.impact_criteria[c] for c in criteria), default=ImpactLevel.I0)


def reach_level(
    picture: Picture, probable_countries: frozenset[str], rules: ClassificationRules
) -> tuple[ReachLevel, str]:
    """The highest reach that the picture meets, and why.

    States are member states of the EU and the EEA, since the matrix counts those; victims are
    counted wherever they are.
    """
    states = picture.member_states
    count, victims = len(states), picture.victims
    spread = states | (probable_countries & EU_NEXUS)
    named = f"{count} member state(s) ({', '.join(sorted(states))})" if count else "no member state"
    several, one = count >= rules.several_states, count > 0
    rows = (
        (ReachLevel.P4, count >= rules.many_states, f"{named} affected"),
        (
            ReachLevel.P4,
            several and victims >= rules.many_victims,
            f"at least {victims} victims in {named}",
        ),
        (
            ReachLevel.P4,
            picture.self_propagating and len(spread) >= rules.several_states,
            f"it spreads by itself and {len(spread)} member states are affected or probably so",
        ),
        (ReachLevel.P3, several, f"{named} affected"),
        (
            ReachLevel.P3,
            one and victims >= rules.many_victims_one_state,
            f"at least {victims} victims in {named}",
        ),
        (
            ReachLevel.P2,
            picture.organisations > 1,
            f"at least {picture.organisations} organisations, {named}",
        ),
        (
            ReachLevel.P1,
            picture.organisations == 1 or victims > 1,
            f"{picture.organisations} organisation(s), at least {victims} victim(s), {named}",
        ),
        (ReachLevel.P0, True, f"at most one person or device is known to be hit, {named}"),
    )
    return next((level, reason) for level, met, reason in rows if met)


def cell(impact: ImpactLevel, reach: ReachLevel, rules: ClassificationRules) -> ThreatClass:
    """The class in the profile's table, before K1."""
    row = rules.cells[list(ImpactLevel).index(impact)]
    return list(ThreatClass)[row[list(ReachLevel).index(reach)]]


def capped(
    threat_class: ThreatClass, disruption: Disruption, rules: ClassificationRules
) -> ThreatClass:
    """K1: an emergency needs a disruption of services that is observed or imminent."""
    if disruption in DISRUPTED:
        return threat_class
    return min(threat_class, list(ThreatClass)[rules.undisrupted_at_most])
