"""The escalation triggers T1 to T8, which lift a lower class to an emergency.

T1 to T3 stand in the seed, the others are ours.
Source: domain 3.4; Council 15738/17, II.II(3); R15.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from classification.claims import Claims, Picture
from classification.evidence import RISK_TO_LIFE
from classification.findings import GROUND_WORDS, Findings, TriggerId
from classification.support import Reports, Support
from protocol.countries import EU_NEXUS
from protocol.profile import ClassificationRules

MEANINGS = {
    TriggerId.T1: "high likelihood of broader propagation",
    TriggerId.T2: "high probability of impact on critical infrastructure",
    TriggerId.T3: "political reasons",
    TriggerId.T4: "an affected member state asks for emergency support",
    TriggerId.T5: "risk to life or health",
    TriggerId.T6: "campaign of linked incidents",
    TriggerId.T7: "vital evidence will be lost under normal procedure",
    TriggerId.T8: "another alert or crisis mechanism is activated",
}
_Ground = tuple[TriggerId, str, Reports]


class FiredTrigger(BaseModel):
    """A trigger that fired, why, and the reports behind it where reports are."""

    model_config = ConfigDict(frozen=True)

    id: TriggerId
    reason: str
    reports: Reports = Reports()


def fire(
    picture: Picture, claims: Claims, findings: Findings, rules: ClassificationRules
) -> tuple[FiredTrigger, ...]:
    """The triggers that fire, in order, each once and with every ground for it."""
    grounds: dict[TriggerId, list[tuple[str, Reports]]] = {}
    for trigger, reason, reports in (
        *_propagation(picture, claims, findings, rules),
        *_critical_infrastructure(picture, claims, findings, rules),
        *_life(picture, claims),
        *_campaign(findings, rules),
        *_stated(findings),
    ):
        grounds.setdefault(trigger, []).append((reason, reports))
    return tuple(
        FiredTrigger(
            id=trigger,
            reason=f"{MEANINGS[trigger]}: {'; '.join(reason for reason, _ in found)}",
            reports=next((reports for _, reports in found if reports.total), Reports()),
        )
        for trigger, found in sorted(grounds.items())
    )


def _propagation(
    picture: Picture, claims: Claims, findings: Findings, rules: ClassificationRules
) -> Iterator[_Ground]:
    if picture.self_propagating:
        reports = claims.self_propagation.reports()
        yield TriggerId.T1, f"it spreads by itself, say {reports}", reports
    expected = findings.propagation
    if expected and expected.probability >= rules.probable:
        ground = f", {GROUND_WORDS[expected.ground]}" if expected.ground else ""
        likely = f"{expected.officer} expects it with {expected.probability:.0%}"
        yield TriggerId.T1, f"{likely}{ground}: {expected.text}", Reports()


def _critical_infrastructure(
    picture: Picture, claims: Claims, findings: Findings, rules: ClassificationRules
) -> Iterator[_Ground]:
    affected = sorted(picture.sectors & rules.essential_sectors)
    if affected:
        best = max((claims.sectors[s] for s in affected), key=_standing).reports()
        yield TriggerId.T2, f"affected essential sectors: {', '.join(affected)}, say {best}", best
    for p in findings.probable_sectors:
        if p.sector in rules.essential_sectors and p.probability >= rules.probable:
            yield (
                TriggerId.T2,
                f"{p.officer} holds {p.sector} for affected with {p.probability:.0%}: {p.text}",
                Reports(),
            )


def _life(picture: Picture, claims: Claims) -> Iterator[_Ground]:
    if RISK_TO_LIFE in picture.criteria:
        reports = claims.criterion_reports(RISK_TO_LIFE)
        yield TriggerId.T5, f"stated by {reports}", reports


def _campaign(findings: Findings, rules: ClassificationRules) -> Iterator[_Ground]:
    facts = findings.campaign
    if facts is None:
        return
    states = EU_NEXUS.intersection(facts.states)
    if (
        len(facts.incident_ids) >= rules.campaign_incidents
        and len(states) >= rules.campaign_states
        and facts.last - facts.first <= rules.campaign_window
    ):
        reason = (
            f"{facts.officer} links {len(facts.incident_ids)} incidents in "
            f"{', '.join(sorted(states))}, {facts.first:%Y-%m-%d} to {facts.last:%Y-%m-%d}: "
            f"{facts.text}"
        )
        yield TriggerId.T6, reason, Reports()


def _stated(findings: Findings) -> Iterator[_Ground]:
    for s in findings.triggers:
        reference = f" ({s.reference})" if s.reference else ""
        yield s.trigger, f"{s.officer} states: {s.text}{reference}", Reports()


def _standing(support: Support) -> tuple[bool, int, list[str]]:
    return support.confirmed, support.total, support.ids
