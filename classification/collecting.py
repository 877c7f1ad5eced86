"""Reads a body of evidence into claims: the set counts, not its order or its repetitions.

Source: domain 3.3, 3.4; R11, R13.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from classification.claims import EVERYWHERE, Claims
from classification.evidence import RISK_TO_LIFE, Evidence
from classification.support import Names, Number, Strength
from protocol.errors import Refused
from protocol.grades import UNJUDGED, Grade, InformationAccuracy, SourceReliability
from protocol.profile import ClassificationRules
from protocol.report import Cause, Disruption

SIGNIFICANT_INCIDENT = "significant-incident"
ESSENTIAL_SERVICE_DISRUPTED = "essential-service-disrupted"
_UNJUDGED = str(UNJUDGED)
DISRUPTED = frozenset({Disruption.OBSERVED, Disruption.IMMINENT})


def collect(evidence: Iterable[Evidence], rules: ClassificationRules) -> Claims:
    """Gather the claims of ``evidence``; its order and repetitions make no difference.

    Raises:
        Refused: ``conflicting-evidence``, one report is given twice with different contents.
    """
    items = list(distinct(evidence).values())
    live = best_first((item for item in items if not item.retracted), rules)
    claims = Claims(withdrawn=len(items) - len(live))
    for strength, item in live:
        count(claims, item, strength, rules)
    return claims


def distinct(evidence: Iterable[Evidence]) -> dict[str, Evidence]:
    """Each report once, by id.

    Raises:
        Refused: ``conflicting-evidence``, one report is given twice with different contents.
    """
    by_id: dict[str, Evidence] = {}
    for item in evidence:
        known = by_id.setdefault(item.report_id, item)
        if known is not item and known != item:
            raise Refused(
                "conflicting-evidence",
                f"report {item.report_id} is given twice with different contents; give it once",
            )
    return by_id


def best_first(
    items: Iterable[Evidence], rules: ClassificationRules
) -> list[tuple[Strength, Evidence]]:
    """Items with what their grades are worth, the best-graded first, then by id."""
    strengths = strengths_of(rules)
    pairs = [(strength_of(item.grade, strengths), item) for item in items]
    pairs.sort(key=lambda pair: (pair[0].place, pair[1].report_id))
    return pairs


def count(
    claims: Claims,
    item: Evidence,
    strength: Strength,
    rules: ClassificationRules,
    by: int = 1,
    *,
    naming: bool = True,
) -> None:
    """Count a report in force in, or with ``by`` = -1 out again.

    Without ``naming`` it is counted only: for a report that is tried out and stands on no record.
    """
    claims.items += by
    if item.grade is None:
        claims.ungraded += by
    elif strength.grade == _UNJUDGED:
        claims.unjudged += by
    _count_impact(claims, item, strength, rules, by, naming=naming)
    _count_reach(claims, item, strength, by, naming=naming)
    _count_cause(claims, item, strength, by, naming=naming)


def _count_impact(
    claims: Claims,
    item: Evidence,
    strength: Strength,
    rules: ClassificationRules,
    by: int,
    *,
    naming: bool,
) -> None:
    stated = stated_criteria(item, rules)
    for criterion in stated:
        known = criterion in rules.impact_criteria
        into = claims.criteria if known else claims.unknown_criteria
        into.count(criterion, item, strength, by, naming=naming)
    claims.disruption.count(item.disruption, item, strength, by, naming=naming)
    if disrupted := disrupted_sectors(item, stated, rules):
        claims.several_sectors.count(item.origin, strength, by)
        if naming:
            claims.several_sectors.name(item)
        grounds = claims.disrupted_by.setdefault(grounds_of(stated, rules), Names())
        for sector in disrupted:
            claims.disrupted_sectors.count(sector, item, strength, by, naming=naming)
            grounds.count(sector, item, strength, by, naming=False)


def stated_criteria(item: Evidence, rules: ClassificationRules) -> frozenset[str]:
    """The criteria that a report states, by name, by risk to life or by the loss it gives."""
    stated = set(item.criteria)
    if item.risk_to_life:
        stated.add(RISK_TO_LIFE)
    if item.loss_eur_min is not None and item.loss_eur_min > rules.significant_loss_eur:
        stated.add(SIGNIFICANT_INCIDENT)
    return frozenset(stated)


def grounds_of(stated: frozenset[str], rules: ClassificationRules) -> frozenset[str]:
    """Those of a report's criteria that are at least an essential service lost."""
    level = rules.impact_criteria.get(ESSENTIAL_SERVICE_DISRUPTED)
    if level is None:
        return frozenset()
    return frozenset(c for c in stated if rules.impact_criteria.get(c, "") >= level)


def disrupted_sectors(
    item: Evidence, stated: frozenset[str], rules: ClassificationRules
) -> frozenset[str]:
    """The essential sectors that a report says are disrupted, by the criteria that it states.

    A sector is disrupted when the report's own impact is that of an essential service lost. Two web
    sites that were slow for an hour are not two essential sectors at once.
    """
    if item.disruption not in DISRUPTED or not grounds_of(stated, rules):
        return frozenset()
    return item.sectors & rules.essential_sectors


def _count_reach(
    claims: Claims, item: Evidence, strength: Strength, by: int, *, naming: bool
) -> None:
    for country in item.countries:
        claims.countries.count(country, item, strength, by, naming=naming)
    for organisation in item.organisations:
        claims.organisations.count(organisation, item, strength, by, naming=naming)
    for sector in item.sectors:
        claims.sectors.count(sector, item, strength, by, naming=naming)
    if item.self_propagating:
        claims.self_propagation.count(item.origin, strength, by)
        if naming:
            claims.self_propagation.name(item)
    claims.organisations_number.count(item.organisations_min, item, strength, by)
    if item.victims_min:
        scopes = {EVERYWHERE} | (item.countries if len(item.countries) == 1 else frozenset())
        for scope in scopes:
            number = claims.victims.setdefault(scope, Number())
            number.count(item.victims_min, item, strength, by)


def _count_cause(
    claims: Claims, item: Evidence, strength: Strength, by: int, *, naming: bool
) -> None:
    if item.cause is not Cause.MALICIOUS and not item.cause_clear:
        return
    claims.causes.count(item.cause, item, strength, by, naming=naming)
    if item.cause_by_authority:
        claims.causes_in_charge.count(item.cause, item, strength, by, naming=naming)


def strengths_of(rules: ClassificationRules) -> dict[str, Strength]:
    """By grade as text; what nobody has graded comes last and confirms nothing."""
    strengths = {"": Strength(grade="", place=(9, 9, 9), alone=False, pair=False)}
    for s, source in enumerate(SourceReliability):
        for i, information in enumerate(InformationAccuracy):
            grade = Grade(source=source, information=information)
            strengths[str(grade)] = Strength(
                grade=str(grade),
                place=(max(s, i), s, i),
                alone=grade.at_least(rules.launch_grade_alone),
                pair=grade.at_least(rules.launch_grade_pair),
            )
    return strengths


def strength_of(grade: Grade | None, strengths: Mapping[str, Strength]) -> Strength:
    """What a grade is worth, by ``strengths_of``."""
    return strengths["" if grade is None else str(grade)]
