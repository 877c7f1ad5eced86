"""Reads a body of evidence into claims: the set counts, not its order or its repetitions.

Source: domain 3.3, 3.4; R11, R13.
"""

from __future__ import annotations

from collections.abc import Iterable

from classification.claims import EVERYWHERE, Claims, Number, Strength, Support
from classification.evidence import RISK_TO_LIFE, Evidence
from protocol.errors import Refused
from protocol.grades import UNJUDGED, Grade, InformationAccuracy, SourceReliability
from protocol.profile import ClassificationRules
from protocol.report import Cause, Disruption

SIGNIFICANT_INCIDENT = "significant-incident"
ESSENTIAL_SERVICE_DISRUPTED = "essential-service-disrupted"
DISRUPTED = frozenset({Disruption.OBSERVED, Disruption.IMMINENT})


def collect(evidence: Iterable[Evidence], rules: ClassificationRules) -> Claims:
    """Gather the claims of ``evidence``; its order and repetitions make no difference.

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
    strengths = _strengths(rules)
    live = [(strengths[_text(item.grade)], item) for item in by_id.values() if not item.retracted]
    live.sort(key=lambda pair: (pair[0].place, pair[1].report_id))
    claims = Claims(
        items=len(live),
        unjudged=sum(1 for _, item in live if _text(item.grade) == str(UNJUDGED)),
        ungraded=sum(1 for _, item in live if item.grade is None),
        withdrawn=len(by_id) - len(live),
    )
    for strength, item in live:
        _add_impact(claims, item, strength, rules)
        _add_reach(claims, item, strength)
        _add_cause(claims, item, strength)
    return claims


def _add_impact(
    claims: Claims, item: Evidence, strength: Strength, rules: ClassificationRules
) -> None:
    stated = stated_criteria(item, rules)
    for criterion in stated:
        known = criterion in rules.impact_criteria
        into = claims.criteria if known else claims.unknown_criteria
        into.setdefault(criterion, Support()).add(item, strength)
    claims.disruption.setdefault(item.disruption, Support()).add(item, strength)
    if disrupted := disrupted_sectors(item, stated, rules):
        claims.several_sectors.add(item, strength)
        for sector in disrupted:
            claims.disrupted_sectors.setdefault(sector, Support()).add(item, strength)


def stated_criteria(item: Evidence, rules: ClassificationRules) -> frozenset[str]:
    """The criteria that a report states, by name, by risk to life or by the loss it gives."""
    stated = set(item.criteria)
    if item.risk_to_life:
        stated.add(RISK_TO_LIFE)
    if item.loss_eur_min is not None and item.loss_eur_min > rules.significant_loss_eur:
        stated.add(SIGNIFICANT_INCIDENT)
    return frozenset(stated)


def disrupted_sectors(
    item: Evidence, stated: frozenset[str], rules: ClassificationRules
) -> frozenset[str]:
    """The essential sectors that a report says are disrupted, by the criteria that it states.

    A sector is disrupted when the report's own impact is that of an essential service lost. Two web
    sites that were slow for an hour are not two essential sectors at once.
    """
    level = rules.impact_criteria.get(ESSENTIAL_SERVICE_DISRUPTED)
    if item.disruption not in DISRUPTED or level is None:
        return frozenset()
    lost = any(rules.impact_criteria[c] >= level for c in stated if c in rules.impact_criteria)
    return item.sectors & rules.essential_sectors if lost else frozenset()


def _add_reach(claims: Claims, item: Evidence, strength: Strength) -> None:
    for values, into in (
        (item.countries, claims.countries),
        (item.organisations, claims.organisations),
        (item.sectors, claims.sectors),
    ):
        for value in values:
            into.setdefault(value, Support()).add(item, strength)
    if item.self_propagating:
        claims.self_propagation.add(item, strength)
    claims.organisations_number.add(item.organisations_min, item, strength)
    scopes = {EVERYWHERE} | (item.countries if len(item.countries) == 1 else frozenset())
    for scope in scopes:
        claims.victims.setdefault(scope, Number()).add(item.victims_min, item, strength)


def _add_cause(claims: Claims, item: Evidence, strength: Strength) -> None:
    if item.cause is not Cause.MALICIOUS and not item.cause_clear:
        return
    claims.causes.setdefault(item.cause, Support()).add(item, strength)
    if item.cause_by_authority:
        claims.causes_in_charge.setdefault(item.cause, Support()).add(item, strength)


def _text(grade: Grade | None) -> str:
    return "" if grade is None else str(grade)


def _strengths(rules: ClassificationRules) -> dict[str, Strength]:
    """By grade as text; what nobody has graded comes last and confirms nothing."""
    strengths = {"": Strength(place=(9, 9, 9), alone=False, pair=False)}
    for s, source in enumerate(SourceReliability):
        for i, information in enumerate(InformationAccuracy):
            grade = Grade(source=source, information=information)
            strengths[str(grade)] = Strength(
                place=(max(s, i), s, i),
                alone=grade.at_least(rules.launch_grade_alone),
                pair=grade.at_least(rules.launch_grade_pair),
            )
    return strengths
