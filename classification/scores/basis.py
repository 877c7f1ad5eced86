"""What side scores take from an assessment and its evidence: what reports claim, confirmed or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from classification.assessment import Assessment
from classification.evidence import Evidence
from protocol.countries import EU_NEXUS
from protocol.report import Cause, Disruption, ImpactLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The situation as far as a scale of others asks for it."""

    impact: ImpactLevel
    criteria: frozenset[str]
    confirmed: bool
    """Whether any criterion is confirmed."""
    sectors: frozenset[str]
    member_states: frozenset[str]
    disruption: Disruption
    cause: Cause
    loss_eur_min: float | None

    def states(self, *criteria: str) -> bool:
        """Whether reports state one of these criteria of the matrix."""
        return not self.criteria.isdisjoint(criteria)


def basis_of(assessment: Assessment, evidence: Iterable[Evidence]) -> Basis:
    """The basis of an assessment; ``evidence`` is what it was made from."""
    losses = (e.loss_eur_min for e in evidence if not e.retracted and e.loss_eur_min is not None)
    return Basis(
        impact=assessment.impact,
        criteria=frozenset(c.id for c in assessment.criteria),
        confirmed=any(c.confirmed for c in assessment.criteria),
        sectors=frozenset(assessment.sectors),
        member_states=EU_NEXUS.intersection(assessment.countries),
        disruption=assessment.disruption,
        cause=assessment.cause,
        loss_eur_min=max(losses, default=None),
    )
