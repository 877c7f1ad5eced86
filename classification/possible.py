"""What a cluster could be: its place in the matrix if every claim of its reports holds.

Nothing here is graded or decided; it orders what people look at first. Source: domain 3.3; R7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from classification.collecting import collect
from classification.evidence import Evidence
from classification.findings import Findings
from classification.matrix import ReachLevel, ThreatClass, place
from protocol.profile import Profile
from protocol.report import ImpactLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """The class that a cluster has at most by what is claimed today."""

    threat_class: ThreatClass
    impact: ImpactLevel
    reach: ReachLevel
    countries: tuple[str, ...]
    sectors: tuple[str, ...]


def possible(evidence: Iterable[Evidence], findings: Findings, profile: Profile) -> Possible:
    """Place reports in the matrix as if each of their claims were confirmed.

    Reports that were taken back count for nothing.

    Raises:
        Refused: ``conflicting-evidence``, see ``collect``.
    """
    rules = profile.classification
    picture = collect(evidence, rules).claimed(rules)
    placed = place(picture, findings.countries_at_least(rules.probable), rules)
    return Possible(
        threat_class=placed.threat_class,
        impact=placed.impact,
        reach=placed.reach,
        countries=tuple(sorted(picture.countries)),
        sectors=tuple(sorted(picture.sectors)),
    )
