"""The worked examples of domain 3.5 and its sensitivity cases.

The facts are set as they were known in the first hours; they are examples, not findings.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from classification.assessment import Assessment, assess
from classification.evidence import Evidence
from classification.findings import CampaignFacts, ExpectedPropagation, Findings
from classification.presumption import Presumption
from protocol.grades import Grade
from protocol.report import Cause, Disruption
from tests.classification.builders import (
    PROFILE,
    confirmed_cause,
    make_evidence,
    stated,
)

pytestmark = pytest.mark.requirement("R8", "R13", "R15", "R16", "R18")

OBSERVED, IMMINENT = Disruption.OBSERVED, Disruption.IMMINENT
MALICIOUS = Cause.MALICIOUS
WANNACRY = (
    make_evidence(
        "3-hospitals",
        criteria={"essential-service-sustained-denial"},
        risk_to_life=True,
        countries={"ES", "DE", "GB"},
        sectors={"health"},
        self_propagating=True,
        disruption=OBSERVED,
        cause=MALICIOUS,
    ),
    make_evidence(
        "2-police",
        "A2",
        criteria={"essential-service-disrupted"},
        countries={"FR", "PT", "DE", "ES"},
        sectors={"transport", "digital-infrastructure"},
        organisations={"railway", "telecom", "car plant"},
        self_propagating=True,
        disruption=OBSERVED,
        cause=MALICIOUS,
    ),
    make_evidence("5-vendor", "X4", countries={"US", "RU", "CN"}, victims_min=200_000),
)
NOTPETYA = (
    make_evidence(
        "3-certs",
        criteria={"critical-destruction", "essential-service-sustained-denial"},
        countries={"DE", "DK", "FR", "NL", "PL", "UA"},
        sectors={"energy", "banking", "transport"},
        self_propagating=True,
        disruption=OBSERVED,
        cause=MALICIOUS,
    ),
)
MIRAI = (
    make_evidence(
        "5-resolver",
        criteria={"significant-incident"},
        countries={"DE", "FR", "IE", "NL", "US"},
        sectors={"digital-providers"},
        self_propagating=True,
        disruption=OBSERVED,
        cause=MALICIOUS,
    ),
)
MIRAI_WITHOUT_SPREAD = (dataclasses.replace(MIRAI[0], self_propagating=False),)
SOLARWINDS = (
    make_evidence(
        "4-agencies",
        criteria={"deep-compromise-several", "control-plane-taken"},
        countries={"BE", "DE", "FR", "IT", "US"},
        victims_min=18_000,
        disruption=Disruption.NONE,
        cause=MALICIOUS,
    ),
)
COLONIAL = (
    make_evidence(
        "2-fbi",
        criteria={"essential-service-sustained-denial"},
        countries={"US"},
        organisations={"pipeline operator"},
        organisations_min=1,
        victims_min=1,
        sectors={"energy"},
        disruption=OBSERVED,
        cause=MALICIOUS,
    ),
)
COLONIAL_IN_EUROPE = (dataclasses.replace(COLONIAL[0], countries=frozenset({"DE"})),)
VIASAT = (
    make_evidence(
        "5-operator",
        criteria={"critical-destruction", "control-plane-taken", "essential-service-disrupted"},
        countries={"CZ", "DE", "FR", "PL", "UA"},
        sectors={"digital-infrastructure"},
        disruption=OBSERVED,
        cause=MALICIOUS,
    ),
    make_evidence(  # the turbines ran on, only their remote control was lost
        "3-turbines",
        criteria={"critical-degraded-recoverable"},
        countries={"DE"},
        sectors={"energy"},
        disruption=Disruption.NONE,
    ),
)
RANSOMWARE = (
    make_evidence(
        "2-firm",
        criteria={"significant-incident"},
        countries={"DE"},
        organisations={"firm"},
        organisations_min=1,
        victims_min=1,
        disruption=OBSERVED,
        cause=MALICIOUS,
    ),
)
PHISHING = (make_evidence("6-mail", "X4", criteria={"attempt-blocked"}, victims_min=1),)
FIBRE_CUT = (
    make_evidence(
        "3-noc",
        criteria={"critical-degraded-recoverable"},
        countries={"FR"},
        organisations={"carrier", "data centre"},
        organisations_min=2,
        disruption=OBSERVED,
    ),
)
EXCAVATOR = make_evidence(
    "5-carrier", "A1", cause=Cause.TECHNICAL_FAILURE, cause_clear=True, cause_by_authority=True
)
FLOOD = (
    make_evidence(
        "3-authority",
        "B2",
        criteria={"essential-service-sustained-denial"},
        countries={"DE", "BE", "LU", "NL"},
        sectors={"energy", "drinking-water"},
        disruption=OBSERVED,
        cause=Cause.NATURAL,
        cause_clear=True,
        cause_by_authority=True,
    ),
)
WAVES_EXPECTED = Findings(
    propagation=ExpectedPropagation(officer="officer-1", text="supply chain", probability=0.8),
    triggers=(stated("T3", "Council Presidency"),),
)
POLITICAL = Findings(triggers=(stated("T3", "Council Presidency"),))


def fired(result: Assessment) -> str:
    return " ".join(t.id for t in result.triggers)


@pytest.mark.parametrize(
    ("evidence", "findings", "impact", "reach", "threat_class", "triggers", "recommendation"),
    [
        (WANNACRY, Findings(), "I4", "P4", "C4", "T1 T2 T5", "launch"),
        (NOTPETYA, Findings(), "I4", "P4", "C4", "T1 T2", "launch"),
        (MIRAI, Findings(), "I2", "P4", "C3", "T1", "launch"),
        (MIRAI_WITHOUT_SPREAD, Findings(), "I2", "P4", "C3", "", "monitor"),
        (SOLARWINDS, WAVES_EXPECTED, "I3", "P4", "C3", "T1 T3", "launch"),
        (COLONIAL, Findings(), "I4", "P1", "C3", "T2", "no-eu-nexus"),
        (COLONIAL_IN_EUROPE, Findings(), "I4", "P1", "C3", "T2", "launch"),
        (VIASAT, POLITICAL, "I3", "P4", "C4", "T2 T3", "launch"),
        (RANSOMWARE, Findings(), "I2", "P1", "C1", "", "normal-procedure"),
        (PHISHING, Findings(), "I0", "P0", "C0", "", "normal-procedure"),
        (FIBRE_CUT, Findings(), "I2", "P2", "C2", "", "monitor"),
    ],
    ids=[
        "wannacry",
        "notpetya",
        "mirai",
        "mirai-without-t1",
        "solarwinds",
        "colonial",
        "colonial-in-europe",
        "viasat",
        "ransomware-in-one-firm",
        "one-phishing-report",
        "fibre-cut-at-t0",
    ],
)
def test_the_case_comes_out_as_worked_out(  # noqa: PLR0917
    evidence: tuple[Evidence, ...],
    findings: Findings,
    impact: str,
    reach: str,
    threat_class: str,
    triggers: str,
    recommendation: str,
) -> None:
    result = assess(evidence, findings, PROFILE)
    assert (result.impact, result.reach, result.threat_class) == (impact, reach, threat_class)
    assert fired(result) == triggers
    assert result.recommendation == recommendation
    assert result.presumption is Presumption.PRESUMED_CRIMINAL


def test_solarwinds_is_capped_by_k1_and_says_so() -> None:
    result = assess(SOLARWINDS, WAVES_EXPECTED, PROFILE)
    assert (result.class_before_cap, result.threat_class) == ("C4", "C3")
    assert any(reason.startswith("K1 caps C4 to C3") for reason in result.reasons)


def test_solarwinds_with_imminent_disruption_is_an_emergency() -> None:
    imminent = dataclasses.replace(SOLARWINDS[0], disruption=IMMINENT)
    assert assess([imminent], Findings(), PROFILE).threat_class == "C4"


def test_the_fibre_cut_is_out_of_scope_once_the_operator_and_an_officer_say_excavator() -> None:
    confirmed = Findings(cause=confirmed_cause(Cause.TECHNICAL_FAILURE))
    evidence = (*FIBRE_CUT, EXCAVATOR)
    assert assess(evidence, Findings(), PROFILE).recommendation == "monitor"
    result = assess(evidence, confirmed, PROFILE)
    assert result.recommendation == "out-of-scope"
    assert (result.cause, result.presumption) == (Cause.TECHNICAL_FAILURE, Presumption.REBUTTED)
    assert result.routes == ()


@pytest.mark.requirement("R10")
def test_the_fibre_cut_comes_back_into_scope_on_a_sign_of_sabotage() -> None:
    sabotage = make_evidence("2-police", "B3", cause=MALICIOUS)
    confirmed = Findings(cause=confirmed_cause(Cause.TECHNICAL_FAILURE))
    result = assess((*FIBRE_CUT, EXCAVATOR, sabotage), confirmed, PROFILE)
    assert result.recommendation == "monitor"
    assert result.presumption is Presumption.PRESUMED_CRIMINAL


def test_an_outage_by_flood_is_out_of_scope_whatever_its_size() -> None:
    result = assess(FLOOD, Findings(cause=confirmed_cause(Cause.NATURAL)), PROFILE)
    assert (result.threat_class, result.recommendation) == ("C4", "out-of-scope")
    assert result.cause is Cause.NATURAL


@pytest.mark.requirement("R11")
def test_wannacry_with_nothing_but_x4_is_held_for_corroboration() -> None:
    unjudged = [dataclasses.replace(item, grade=Grade.parse("X4")) for item in WANNACRY]
    result = assess(unjudged, Findings(), PROFILE)
    assert (result.threat_class, result.recommendation) == ("C4", "hold-corroborate")
    assert result.unjudged == result.evaluated == 3


def test_three_linked_ransomware_cases_in_two_states_are_launched_by_t6() -> None:
    evidence = [
        dataclasses.replace(
            RANSOMWARE[0],
            report_id=f"2-firm-{n}",
            origin=f"police {n}",
            countries=frozenset({country}),
            organisations=frozenset({f"firm {n}"}),
        )
        for n, country in enumerate(("DE", "DE", "FR"))
    ]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    campaign = CampaignFacts(
        officer="officer-1",
        text="same wallet",
        incident_ids=("i-1", "i-2", "i-3"),
        states=("DE", "FR"),
        first=start,
        last=start + timedelta(days=13),
    )
    unlinked = assess(evidence, Findings(), PROFILE)
    assert (unlinked.impact, unlinked.reach, unlinked.threat_class) == ("I2", "P3", "C3")
    assert unlinked.recommendation == "monitor"
    linked = assess(evidence, Findings(campaign=campaign), PROFILE)
    assert (fired(linked), linked.recommendation) == ("T6", "launch")


def test_a_phishing_wave_in_six_states_without_effect_is_for_normal_procedure() -> None:
    wave = [
        make_evidence(f"3-{c}", countries={c}, criteria={"attempt-blocked"}, sectors={"banking"})
        for c in ("AT", "BE", "DE", "FR", "IT", "NL")
    ]
    result = assess(wave, Findings(), PROFILE)
    assert (result.impact, result.reach, result.threat_class) == ("I0", "P4", "C1")
    assert result.recommendation == "normal-procedure"
