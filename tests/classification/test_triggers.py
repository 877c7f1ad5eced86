"""T1 to T8: when they fire, on whose word, and when they do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from classification.collecting import collect
from classification.evidence import Evidence
from classification.findings import (
    CampaignFacts,
    ExpectedPropagation,
    Findings,
    ProbableSector,
    PropagationGround,
)
from classification.triggers import FiredTrigger, fire
from tests.classification.builders import RULES, make_evidence, stated

pytestmark = pytest.mark.requirement("R15")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fired(*items: Evidence, findings: Findings | None = None) -> dict[str, FiredTrigger]:
    claims = collect(items, RULES)
    found = fire(claims.claimed(RULES), claims, findings or Findings(), RULES)
    return {t.id.value: t for t in found}


def make_campaign(
    incidents: int = 3, states: str = "DE FR", days: float = 14, extra_seconds: float = 0
) -> Findings:
    facts = CampaignFacts(
        officer="officer-1",
        text="same wallet",
        incident_ids=tuple(f"i-{n}" for n in range(incidents)),
        states=tuple(states.split()),
        first=NOON,
        last=NOON + timedelta(days=days, seconds=extra_seconds),
    )
    return Findings(campaign=facts)


def test_nothing_fires_without_a_ground() -> None:
    assert fired(make_evidence(sectors={"food"}, countries={"DE"})) == {}


def test_t1_fires_on_reported_self_propagation_and_names_the_reports() -> None:
    trigger = fired(make_evidence(self_propagating=True))["T1"]
    assert trigger.reports.ids == ("2-a",)
    assert "spreads by itself" in trigger.reason


@pytest.mark.parametrize(("probability", "fires"), [(0.55, True), (0.54, False)])
def test_t1_fires_on_an_officers_expectation_from_likely_up(
    probability: float, fires: bool
) -> None:
    expected = ExpectedPropagation(officer="officer-1", text="exploit out", probability=probability)
    found = fired(findings=Findings(propagation=expected))
    assert ("T1" in found) is fires
    assert all("officer-1" in t.reason for t in found.values())


@pytest.mark.parametrize(
    ("ground", "words"),
    [
        (PropagationGround.MASS_EXPLOIT, "80%, mass exploit of an unpatched, widely used product"),
        (PropagationGround.SUPPLY_CHAIN, "80%, supply chain: "),
        (PropagationGround.OUTLOOK_WORSENING, "80%, outlook worsening in the next six hours: "),
        (None, "80%: seen"),
    ],
)
def test_t1_says_from_what_the_officer_expects_it(
    ground: PropagationGround | None, words: str
) -> None:
    expected = ExpectedPropagation(officer="officer-1", text="seen", probability=0.8, ground=ground)
    assert words in fired(findings=Findings(propagation=expected))["T1"].reason


def test_t2_fires_on_a_victim_in_an_essential_sector_and_names_the_best_support() -> None:
    trigger = fired(
        make_evidence("2-a", "X4", sectors={"health"}),
        make_evidence("2-b", "B2", sectors={"energy"}),
    )["T2"]
    assert "energy, health" in trigger.reason
    assert trigger.reports.ids == ("2-b",)


@pytest.mark.parametrize(
    ("sector", "probability", "fires"),
    [("energy", 0.55, True), ("energy", 0.5, False), ("food", 0.9, False)],
)
def test_t2_fires_on_an_essential_sector_that_is_probably_affected(
    sector: str, probability: float, fires: bool
) -> None:
    probable = ProbableSector(
        officer="officer-1", text="same supplier", sector=sector, probability=probability
    )
    assert ("T2" in fired(findings=Findings(probable_sectors=(probable,)))) is fires


def test_t5_fires_on_a_reported_risk_to_life() -> None:
    assert fired(make_evidence(risk_to_life=True))["T5"].reports.total == 1


@pytest.mark.parametrize("trigger", ["T3", "T4", "T5", "T7", "T8"])
def test_stated_triggers_fire_and_carry_author_text_and_reference(trigger: str) -> None:
    found = fired(findings=Findings(triggers=(stated(trigger, "Council Presidency"),)))
    assert list(found) == [trigger]
    assert "officer-1 states: as agreed (Council Presidency)" in found[trigger].reason


def test_a_reference_that_is_not_given_leaves_no_empty_brackets() -> None:
    assert "()" not in fired(findings=Findings(triggers=(stated("T5", ""),)))["T5"].reason


def test_t6_fires_on_three_linked_incidents_in_two_states_within_fourteen_days() -> None:
    reason = fired(findings=make_campaign())["T6"].reason
    assert "officer-1 links 3 incidents in DE, FR, 2026-03-01 to 2026-03-15" in reason


def test_t6_counts_an_incident_once_however_often_it_is_named() -> None:
    campaign = make_campaign().campaign
    assert campaign is not None
    twice = {**campaign.model_dump(), "incident_ids": ("i-2", "i-1", "i-2")}
    facts = CampaignFacts.model_validate(twice)
    assert facts.incident_ids == ("i-1", "i-2")
    assert fired(findings=Findings(campaign=facts)) == {}


@pytest.mark.parametrize(
    "findings",
    [
        make_campaign(incidents=2),
        make_campaign(states="DE"),
        make_campaign(states="DE US"),
        make_campaign(extra_seconds=1),
    ],
)
def test_t6_does_not_fire_when_one_condition_is_missing(findings: Findings) -> None:
    assert fired(findings=findings) == {}


def test_several_grounds_make_one_trigger_with_all_of_them() -> None:
    findings = Findings(triggers=(stated("T8"), stated("T5"), stated("T5", "WHO")))
    found = fired(make_evidence(risk_to_life=True), findings=findings)
    assert list(found) == ["T5", "T8"]
    assert found["T5"].reason.count(";") == 2
    assert found["T5"].reports.ids == ("2-a",)


@pytest.mark.parametrize(
    ("findings", "trigger"),
    [
        (Findings(triggers=(stated("T3"),)), "T3"),
        (Findings(triggers=(stated("T4"),)), "T4"),
        (Findings(triggers=(stated("T5"),)), "T5"),
        (make_campaign(), "T6"),
        (Findings(triggers=(stated("T7"),)), "T7"),
        (Findings(triggers=(stated("T8"),)), "T8"),
    ],
)
def test_what_no_report_says_names_its_author(findings: Findings, trigger: str) -> None:
    assert "officer-1" in fired(findings=findings)[trigger].reason
