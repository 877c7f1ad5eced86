"""From claims and findings to class, gates and recommendation: the decision, before it is recorded.

Source: domain 3.3, 3.4; R8, R10, R13 to R16.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from classification.claims import Claims, Fact, Picture
from classification.findings import Findings, TriggerId
from classification.gates import (
    GateId,
    GateResult,
    cause_gate,
    confidence_gate,
    graded_gate,
    nexus_gate,
)
from classification.matrix import Placement, ThreatClass, place
from classification.recommendation import recommend, wants_launch
from classification.triggers import FiredTrigger, fire
from protocol.profile import ClassificationRules, Profile
from protocol.stages import Recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A picture, its place in the matrix, and the triggers that it fires."""

    picture: Picture
    placement: Placement
    triggers: tuple[FiredTrigger, ...]

    @property
    def trigger_ids(self) -> frozenset[TriggerId]:
        """Which triggers fire."""
        return frozenset(t.id for t in self.triggers)

    @property
    def wants_launch(self) -> bool:
        """The decision rule before the gates."""
        return wants_launch(self.placement.threat_class, self.trigger_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All that is claimed, the part that is confirmed, and what follows."""

    claimed: View
    confirmed: View
    gates: tuple[GateResult, ...]
    recommendation: Recommendation
    rule: str

    @property
    def threat_class(self) -> ThreatClass:
        """The class of all that is claimed, after K1."""
        return self.claimed.placement.threat_class

    @property
    def passed(self) -> frozenset[GateId]:
        """The gates that are passed."""
        return frozenset(gate.id for gate in self.gates if gate.passed)


def judge(
    claims: Claims, findings: Findings, profile: Profile, refuted: Collection[Fact] = frozenset()
) -> Judgement:
    """Judge an incident by its claims, less the facts that are ``refuted``."""
    rules = profile.classification
    claimed = _view(claims.claimed(rules, refuted), claims, findings, rules)
    confirmed = _view(claims.confirmed(rules, refuted), claims, findings, rules)
    gates = (
        cause_gate(claims, findings, profile),
        nexus_gate(claimed.picture, findings, profile),
        graded_gate(claims),
        confidence_gate(
            claimed.placement,
            confirmed.placement,
            confirmed_wants_launch=confirmed.wants_launch,
            override=findings.override,
        ),
    )
    recommendation, rule = recommend(
        claimed.placement.threat_class, claimed.trigger_ids, (g.id for g in gates if g.passed)
    )
    return Judgement(
        claimed=claimed,
        confirmed=confirmed,
        gates=gates,
        recommendation=recommendation,
        rule=rule,
    )


def _view(picture: Picture, claims: Claims, findings: Findings, rules: ClassificationRules) -> View:
    return View(
        picture=picture,
        placement=place(picture, findings.countries_at_least(rules.probable), rules),
        triggers=fire(picture, claims, findings, rules),
    )
