"""The explanation of an assessment as data: reports, facts, levels, cell, K1, triggers, gates, rule.

Source: domain 3.3, 3.4; R11, R13 ("explained"), R17.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from classification.assessment import Assessment, assess_claims
from classification.claims import Claims, FactKind
from classification.collecting import DISRUPTED, collect, distinct
from classification.evidence import Evidence
from classification.findings import Findings
from classification.judgement import Judgement, judge
from classification.matrix import ReachLevel, ThreatClass
from classification.neighbours import Neighbour, higher, lower
from classification.support import Support
from protocol.profile import ClassificationRules, Profile
from protocol.report import ImpactLevel

SHOWN = 5
"""So many reports are named with one fact."""


class Carrier(BaseModel):
    """A report that states a fact, with its grade in force."""

    model_config = ConfigDict(frozen=True)

    report: str
    origin: str
    grade: str
    """Empty while nobody has graded it."""


class SupportedFact(BaseModel):
    """One fact that counts, who states it, and whether that confirms it."""

    model_config = ConfigDict(frozen=True)

    kind: FactKind
    name: str = ""
    level: ImpactLevel | None = None
    """Of a criterion."""
    confirmed: bool
    alone: bool
    """By one report that is good enough alone, ..."""
    paired: bool
    """... or by two of independent origin that are good enough as a pair."""
    origins: int
    """Independent origins that are good enough for a pair."""
    reports: tuple[Carrier, ...]
    """The best-graded."""
    total: int


class Explanation(BaseModel):
    """The chain of one assessment. Each level is given as claimed and as confirmed."""

    model_config = ConfigDict(frozen=True)

    assessment: Assessment
    """With triggers, gates, recommendation and the sentences."""
    rule: str
    """The decision rule that gave the recommendation."""
    deciding: tuple[str, ...]
    """The criteria that give the impact level."""
    facts: tuple[SupportedFact, ...]
    """Criteria, the gravest first; then states, essential sectors and what else counts."""
    confirmed_impact: ImpactLevel
    confirmed_reach: ReachLevel
    confirmed_class: ThreatClass
    reach_reason: str
    cell: str
    """What the cell of impact and reach means."""
    capped: bool
    """Whether K1 lowered the class."""
    higher: Neighbour | None
    """Why it is not the next class up; None at the top."""
    lower: Neighbour | None
    """What keeps it from the next class down; None at the bottom."""


def explain_incident(
    evidence: Iterable[Evidence], findings: Findings, profile: Profile
) -> Explanation:
    """Assess and explain.

    Raises:
        Refused: ``conflicting-evidence``, see ``collect``.
    """
    rules = profile.classification
    reports = distinct(evidence)
    claims = collect(reports.values(), rules)
    judged = judge(claims, findings, profile)
    placement, confirmed = judged.claimed.placement, judged.confirmed.placement
    disrupted = judged.claimed.picture.disruption in DISRUPTED
    return Explanation(
        assessment=assess_claims(claims, findings, profile),
        rule=judged.rule,
        deciding=placement.deciding,
        facts=tuple(_facts(claims, judged, rules)),
        confirmed_impact=confirmed.impact,
        confirmed_reach=confirmed.reach,
        confirmed_class=confirmed.threat_class,
        reach_reason=placement.reach_reason,
        cell=rules.cell_text(placement.impact, placement.reach),
        capped=placement.before_cap is not placement.threat_class,
        higher=higher(placement, rules, disrupted=disrupted),
        lower=lower(placement, rules),
    )


def _facts(
    claims: Claims, judged: Judgement, rules: ClassificationRules
) -> Iterable[SupportedFact]:
    picture = judged.claimed.picture
    for criterion in sorted(
        picture.criteria, key=lambda c: (rules.impact_criteria[c], c), reverse=True
    ):
        yield _fact(
            FactKind.CRITERION,
            criterion,
            claims.criterion_support(criterion),
            level=rules.impact_criteria[criterion],
            confirmed=criterion in judged.confirmed.picture.criteria,
        )
    for state in sorted(picture.countries):
        yield _fact(FactKind.COUNTRY, state, claims.countries[state])
    for sector in sorted(picture.sectors & rules.essential_sectors):
        yield _fact(FactKind.SECTOR, sector, claims.sectors[sector])
    if picture.self_propagating:
        yield _fact(FactKind.SELF_PROPAGATION, "", claims.self_propagation)
    for disruption in sorted(DISRUPTED & set(claims.disruption)):
        yield _fact(FactKind.DISRUPTION, disruption, claims.disruption[disruption])


def _fact(
    kind: FactKind,
    name: str,
    support: Support,
    *,
    level: ImpactLevel | None = None,
    confirmed: bool | None = None,
) -> SupportedFact:
    return SupportedFact(
        kind=kind,
        name=name,
        level=level,
        confirmed=support.confirmed if confirmed is None else confirmed,
        alone=support.alone,
        paired=support.paired,
        origins=len(support.origins),
        reports=tuple(
            Carrier(
                report=item.report_id,
                origin=item.origin,
                grade="" if item.grade is None else str(item.grade),
            )
            for item in support.named[:SHOWN]
        ),
        total=support.total,
    )
