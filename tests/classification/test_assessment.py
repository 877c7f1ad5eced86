"""``assess``: a function of the set, explained, bounded, and never worse off for knowing more."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.assessment import Assessment, assess
from classification.evidence import Evidence
from classification.findings import Findings, Override, TriggerId
from classification.gates import GateId
from protocol.countries import EU_NEXUS
from protocol.grades import Grade
from protocol.parties import RecipientClass
from protocol.report import Cause, Disruption
from tests.classification.builders import (
    GRADES,
    PROFILE,
    bodies,
    confirmed_cause,
    evidence_items,
    make_evidence,
    stated,
)

CAUSES = st.sampled_from(Cause)
findings = st.builds(
    Findings,
    triggers=st.lists(st.sampled_from(["T3", "T4", "T5", "T7", "T8"]), max_size=2).map(
        lambda ids: tuple(stated(i) for i in ids)
    ),
    cause=st.none() | CAUSES.map(confirmed_cause),
    override=st.none() | st.just(Override(officer="officer-2", reason="minister called")),
)
LAUNCH: dict[str, Any] = {
    "criteria": {"essential-service-disrupted"},
    "countries": {"DE", "FR"},
    "sectors": {"health"},
    "disruption": Disruption.OBSERVED,
}


@pytest.mark.requirement("R13")
@given(body=bodies(), found=findings)
def test_the_assessment_is_a_function_of_the_set_of_evidence(
    body: list[Evidence], found: Findings
) -> None:
    shuffled = body * 2
    random.Random(len(body)).shuffle(shuffled)
    assert assess(shuffled, found, PROFILE) == assess(body, found, PROFILE)


@pytest.mark.requirement("R13")
@given(body=bodies(), found=findings)
def test_the_assessment_survives_its_way_through_json(
    body: list[Evidence], found: Findings
) -> None:
    result = assess(body, found, PROFILE)
    assert Assessment.model_validate_json(result.model_dump_json()) == result


@pytest.mark.requirement("R13")
@given(body=bodies(), more=evidence_items("9-new"), found=findings)
def test_a_further_report_never_lowers_impact_reach_or_class(
    body: list[Evidence], more: Evidence, found: Findings
) -> None:
    before, after = assess(body, found, PROFILE), assess([*body, more], found, PROFILE)
    assert before.impact <= after.impact
    assert before.reach <= after.reach
    assert before.threat_class <= after.threat_class
    assert {t.id for t in before.triggers} <= {t.id for t in after.triggers}


@pytest.mark.requirement("R11", "R13")
@given(body=bodies(), found=findings, grade=st.sampled_from(GRADES))
def test_a_better_grade_never_changes_the_class_nor_closes_the_confidence_gate(
    body: list[Evidence], found: Findings, grade: Grade
) -> None:
    better = [
        dataclasses.replace(item, grade=grade)
        if item.grade is None or grade.at_least(item.grade)
        else item
        for item in body
    ]
    before, after = assess(body, found, PROFILE), assess(better, found, PROFILE)
    assert before.threat_class is after.threat_class
    assert before.gate(GateId.G4).passed <= after.gate(GateId.G4).passed


@pytest.mark.requirement("R8")
@given(body=bodies(), found=findings)
def test_crime_is_presumed_unless_an_officer_confirms_a_clear_other_cause(
    body: list[Evidence], found: Findings
) -> None:
    result = assess(body, found, PROFILE)
    rebutted = result.presumption == "rebutted"
    assert rebutted is (result.recommendation == "out-of-scope")
    assert rebutted is (result.cause not in (Cause.MALICIOUS, Cause.PRESUMED_MALICIOUS))
    if rebutted:
        assert found.cause is not None
        assert any(item.cause is found.cause.cause and item.cause_clear for item in body)


@pytest.mark.requirement("R9")
@given(body=bodies(), found=findings)
def test_while_crime_is_presumed_it_is_routed_in_every_affected_state(
    body: list[Evidence], found: Findings
) -> None:
    result = assess(body, found, PROFILE)
    if result.presumption == "rebutted":
        assert result.routes == ()
        return
    assert [route.country for route in result.routes] == list(result.countries)
    for route in result.routes:
        at_home = {RecipientClass.LE_POC, RecipientClass.JUDICIAL}
        abroad = {RecipientClass.INTERPOL}
        assert set(route.to) == (at_home if route.country in EU_NEXUS else abroad)


@pytest.mark.requirement("R11")
@given(body=bodies(), found=findings)
def test_nothing_is_launched_while_a_report_is_ungraded(
    body: list[Evidence], found: Findings
) -> None:
    result = assess([*body, make_evidence("9-new", None)], found, PROFILE)
    assert result.recommendation != "launch"
    assert result.ungraded >= 1


@pytest.mark.requirement("R11", "R16")
@given(body=bodies())
def test_x4_alone_never_launches(body: list[Evidence]) -> None:
    unjudged = [dataclasses.replace(item, grade=Grade()) for item in body]
    assert assess(unjudged, Findings(), PROFILE).recommendation != "launch"


@given(body=bodies(), grade=st.sampled_from(("X4", "C4", "B4")))
def test_a_launch_on_confirmed_claims_is_not_held_up_by_what_nobody_can_judge(
    body: list[Evidence], grade: str
) -> None:
    founded = [make_evidence("9-founded", **LAUNCH)]
    noise = [
        dataclasses.replace(item, grade=Grade.parse(grade), cause=Cause.PRESUMED_MALICIOUS)
        for item in body
    ]
    result = assess([*founded, *noise], Findings(), PROFILE)
    assert result.recommendation == "launch"


def test_confirmed_claims_that_want_a_launch_themselves_pass_the_confidence_gate() -> None:
    rumour = make_evidence("6-rumour", "X4", risk_to_life=True)
    result = assess([make_evidence(**LAUNCH), rumour], Findings(), PROFILE)
    gate = result.gate(GateId.G4)
    assert result.impact == "I4"
    assert (gate.passed, gate.overridden) == (True, False)
    assert "confirmed claims reach I3 and P3 of I4 and P3 claimed" in gate.reason
    assert {c.id: c.confirmed for c in result.criteria} == {
        "risk-to-life": False,
        "essential-service-disrupted": True,
    }


@pytest.mark.requirement("R16")
def test_an_officer_may_set_the_confidence_gate_aside_with_a_reason_on_record() -> None:
    unjudged = make_evidence(grade="X4", **LAUNCH)
    override = Override(officer="officer-2", reason="two ministries phoned")
    assert assess([unjudged], Findings(), PROFILE).recommendation == "hold-corroborate"
    result = assess([unjudged], Findings(override=override), PROFILE)
    assert result.recommendation == "launch"
    assert result.gate(GateId.G4).overridden
    assert "officer-2: two ministries phoned" in result.gate(GateId.G4).reason


def test_an_override_that_is_not_needed_leaves_no_trace() -> None:
    override = Override(officer="officer-2", reason="in haste")
    result = assess([make_evidence(**LAUNCH)], Findings(override=override), PROFILE)
    assert not result.gate(GateId.G4).overridden


@pytest.mark.requirement("R13")
def test_unknown_criteria_are_ignored_with_a_reason_and_no_error() -> None:
    many = {f"made-up-{n:02}" + "x" * 900 for n in range(30)}
    result = assess([make_evidence(criteria=many)], Findings(), PROFILE)
    ignored = [reason for reason in result.reasons if "knows no such criterion" in reason]
    assert result.impact == "I0"
    assert len(ignored) == 1
    assert "and 20 more" in ignored[0]
    assert len(ignored[0]) < 1_000
    few = assess([make_evidence(criteria={"made-up"})], Findings(), PROFILE)
    assert any(reason.endswith("criterion: 'made-up'.") for reason in few.reasons)


@pytest.mark.requirement("R13", "R17")
def test_the_reasons_lead_from_reports_to_criteria_to_cell_to_rule() -> None:
    result = assess([make_evidence("2-a", self_propagating=True, **LAUNCH)], Findings(), PROFILE)
    starts = (
        "1 report(s) in force",
        "Impact I3: essential-service-disrupted by 1 report(s): 2-a.",
        "Reach P4: it spreads by itself",
        "Cell I3/P4 of matrix leerp-tcm/1 is C4: essential services hit in several",
        "Trigger T1,",
        "Trigger T2,",
        "Gate G1 passed",
        "Gate G2 passed",
        "Gate G3 passed",
        "Gate G4 passed",
        "Recommendation launch: C4 with T1, T2, and every gate is passed.",
    )
    assert len(result.reasons) == len(starts)
    for reason, start in zip(result.reasons, starts, strict=True):
        assert reason.startswith(start)


def test_the_record_does_not_grow_with_the_number_of_reports() -> None:
    def size(count: int) -> int:
        items = [
            make_evidence(f"2-{n:06}", organisations={f"org {n}"}, **LAUNCH) for n in range(count)
        ]
        return len(assess(items, Findings(), PROFILE).model_dump_json())

    assert size(2_000) < size(20) + 100


def test_sectors_that_nobody_knows_cannot_crowd_out_the_essential_ones() -> None:
    made_up = {f"a-sector-{n:03}" + "x" * 200 for n in range(200)}
    result = assess([make_evidence(sectors=made_up | {"water", "health"})], Findings(), PROFILE)
    assert result.sectors[0] == "health"
    assert len(result.sectors) == 50
    assert max(map(len, result.sectors)) == 60


def test_nothing_at_all_is_for_normal_procedure() -> None:
    result = assess([], Findings(), PROFILE)
    assert (result.threat_class, result.recommendation) == ("C0", "normal-procedure")
    assert (result.profile, result.matrix) == (PROFILE.name, "leerp-tcm/1")
    assert result.evaluated == result.ungraded == result.withdrawn == 0


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("grade", "confirmed", "cause"),
    [
        ("B2", None, Cause.MALICIOUS),
        ("B3", None, Cause.PRESUMED_MALICIOUS),
        ("B3", Cause.MALICIOUS, Cause.MALICIOUS),
        ("B3", Cause.NATURAL, Cause.PRESUMED_MALICIOUS),
    ],
)
def test_malice_is_stated_only_where_it_is_confirmed(
    grade: str, confirmed: Cause | None, cause: Cause
) -> None:
    found = Findings(cause=confirmed_cause(confirmed) if confirmed else None)
    result = assess([make_evidence(grade=grade, cause=Cause.MALICIOUS)], found, PROFILE)
    assert result.cause is cause


def test_an_officers_word_of_malice_needs_no_report() -> None:
    found = Findings(cause=confirmed_cause(Cause.MALICIOUS), triggers=(stated("T4"),))
    result = assess([], found, PROFILE)
    assert result.cause is Cause.MALICIOUS
    assert [t.id for t in result.triggers] == [TriggerId.T4]
