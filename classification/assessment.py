"""``assess``: from the evidence and the officers' findings to a class and a recommendation.

The result is a function of the set of evidence and of nothing else. It explains itself and does
not grow with the number of reports.
Source: domain 3.3, 3.4; R8 to R10, R13 to R18.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict

from classification.claims import Claims, Fact, Picture
from classification.collecting import collect
from classification.evidence import Evidence
from classification.explanation import MAX_NAME, explain
from classification.findings import Findings
from classification.gates import GateId, GateResult
from classification.judgement import View, judge
from classification.matrix import ReachLevel, ThreatClass
from classification.presumption import (
    CrimeRoute,
    Presumption,
    cause_in_force,
    crime_routes,
    presumption,
)
from classification.support import Reports
from classification.triggers import FiredTrigger
from protocol.profile import ClassificationRules, Profile
from protocol.report import Cause, Disruption, ImpactLevel
from protocol.stages import Recommendation

MAX_SECTORS = 50


class CriterionMet(BaseModel):
    """An impact criterion that reports state, and whether that is confirmed."""

    model_config = ConfigDict(frozen=True)

    id: str
    level: ImpactLevel
    confirmed: bool
    reports: Reports


class Assessment(BaseModel):
    """What stage II comes to, with its reasons. The software recommends, a person decides."""

    model_config = ConfigDict(frozen=True)

    profile: str
    matrix: str
    threat_class: ThreatClass
    class_before_cap: ThreatClass
    """Before K1."""
    impact: ImpactLevel
    reach: ReachLevel
    criteria: tuple[CriterionMet, ...]
    """All that are stated, the gravest first."""
    triggers: tuple[FiredTrigger, ...]
    gates: tuple[GateResult, ...]
    recommendation: Recommendation
    reasons: tuple[str, ...]
    """Sentences, from the reports to the rule."""
    countries: tuple[str, ...]
    """All states with victims, of the EU or not."""
    sectors: tuple[str, ...]
    """Essential ones first, at most 50."""
    organisations: int
    """At least so many."""
    victims_min: int
    self_propagating: bool
    disruption: Disruption
    cause: Cause
    presumption: Presumption
    routes: tuple[CrimeRoute, ...]
    """Who handles the crime in each affected state while it is presumed (R9)."""
    evaluated: int
    """Reports in force that are graded, X4 included."""
    unjudged: int
    """Those of them that are X4."""
    ungraded: int
    withdrawn: int

    def gate(self, gate: GateId) -> GateResult:
        """The result of one gate."""
        return next(g for g in self.gates if g.id is gate)


def assess(evidence: Sequence[Evidence], findings: Findings, profile: Profile) -> Assessment:
    """Assess an incident by all its evidence.

    Raises:
        Refused: ``conflicting-evidence``, one report is given twice with different contents.

    Source: domain 3.3, 3.4; R13 to R15.
    """
    return assess_claims(collect(evidence, profile.classification), findings, profile)


def assess_claims(
    claims: Claims, findings: Findings, profile: Profile, refuted: Collection[Fact] = frozenset()
) -> Assessment:
    """Assess an incident by claims that were collected before, less the facts that are ``refuted``."""
    rules = profile.classification
    judged = judge(claims, findings, profile, refuted)
    claimed, gates = judged.claimed, judged.gates
    picture, placement = claimed.picture, claimed.placement
    held = presumption(gates[0])
    return Assessment(
        profile=profile.name,
        matrix=profile.matrix,
        threat_class=placement.threat_class,
        class_before_cap=placement.before_cap,
        impact=placement.impact,
        reach=placement.reach,
        criteria=_criteria(claimed, judged.confirmed, claims, rules),
        triggers=claimed.triggers,
        gates=gates,
        recommendation=judged.recommendation,
        reasons=explain(
            claims=claims,
            placement=placement,
            triggers=claimed.triggers,
            gates=gates,
            recommendation=judged.recommendation,
            rule=judged.rule,
            profile=profile,
        ),
        countries=tuple(sorted(picture.countries)),
        sectors=_sectors(picture, rules),
        organisations=picture.organisations,
        victims_min=picture.victims,
        self_propagating=picture.self_propagating,
        disruption=picture.disruption,
        cause=cause_in_force(gates[0], claims, findings),
        presumption=held,
        routes=crime_routes(held, picture.countries),
        evaluated=claims.items - claims.ungraded,
        unjudged=claims.unjudged,
        ungraded=claims.ungraded,
        withdrawn=claims.withdrawn,
    )


def _criteria(
    claimed: View, confirmed: View, claims: Claims, rules: ClassificationRules
) -> tuple[CriterionMet, ...]:
    met = (
        CriterionMet(
            id=criterion,
            level=rules.impact_criteria[criterion],
            confirmed=criterion in confirmed.picture.criteria,
            reports=claims.criterion_reports(criterion),
        )
        for criterion in sorted(claimed.picture.criteria)
    )
    return tuple(sorted(met, key=lambda c: c.level, reverse=True))


def _sectors(picture: Picture, rules: ClassificationRules) -> tuple[str, ...]:
    ordered = sorted(picture.sectors, key=lambda s: (s not in rules.essential_sectors, s))
    return tuple(sector[:MAX_NAME] for sector in ordered[:MAX_SECTORS])
