"""More impact, more reach or a better grade never lowers a class, nor turns a launch into no."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.assessment import assess
from classification.evidence import Evidence
from classification.findings import Findings
from protocol.grades import Grade
from protocol.report import Disruption
from protocol.stages import Recommendation
from tests.classification.builders import (
    GRADES,
    PROFILE,
    STATES,
    bodies,
    evidence_items,
    make_evidence,
    stated,
    subsets,
)

pytestmark = pytest.mark.requirement("R11", "R13")
NOT_NO = {Recommendation.LAUNCH, Recommendation.HOLD_CORROBORATE}
LAUNCH = make_evidence(
    "8-founded",
    "A1",
    criteria={"essential-service-disrupted"},
    countries={"DE", "FR"},
    sectors={"health"},
    disruption=Disruption.OBSERVED,
)
founded = bodies().flatmap(lambda body: st.sampled_from(([*body, LAUNCH], body)))
"""Of these, about half are launched when all is graded."""
findings = subsets(("T3", "T4", "T5")).map(
    lambda ids: Findings(triggers=tuple(map(stated, sorted(ids))))
)


def graded(body: list[Evidence], best: Grade) -> list[Evidence]:
    return [
        dataclasses.replace(item, grade=best)
        if item.grade is None or best.at_least(item.grade)
        else item
        for item in body
    ]


def graver(item: Evidence, more: Evidence) -> Evidence:
    """The same report, saying all that ``more`` says as well, and one member state.

    Numbers of victims stay: those of a report on several states are not told apart by state, so they
    no longer add up with those of other reports (domain 3.3 counts what is known at least).
    """
    return dataclasses.replace(
        item,
        criteria=item.criteria | more.criteria,
        countries=item.countries | more.countries | frozenset(STATES[:1]),
        organisations=item.organisations | more.organisations,
        organisations_min=max(item.organisations_min, more.organisations_min),
        sectors=item.sectors | more.sectors,
        self_propagating=item.self_propagating or more.self_propagating,
        disruption=Disruption.OBSERVED,
        risk_to_life=item.risk_to_life or more.risk_to_life,
    )


@given(body=founded, found=findings, best=st.sampled_from(GRADES))
def test_a_better_grade_never_takes_a_launch_back(
    body: list[Evidence], found: Findings, best: Grade
) -> None:
    before = assess(body, found, PROFILE)
    after = assess(graded(body, best), found, PROFILE)
    assert after.threat_class is before.threat_class
    if before.recommendation is Recommendation.LAUNCH:
        assert after.recommendation is Recommendation.LAUNCH
    if before.recommendation is Recommendation.HOLD_CORROBORATE:
        assert after.recommendation in NOT_NO


@given(body=founded, found=findings, more=evidence_items("unused"))
def test_more_impact_and_reach_never_lowers_the_class_nor_turns_a_launch_into_no(
    body: list[Evidence], found: Findings, more: Evidence
) -> None:
    before = assess(body, found, PROFILE)
    after = assess([graver(item, more) for item in body], found, PROFILE)
    assert after.threat_class >= before.threat_class
    if before.recommendation in NOT_NO:
        assert after.recommendation in NOT_NO


@given(body=founded, found=findings, more=evidence_items("9-new"))
def test_a_further_report_never_turns_a_launch_into_no(
    body: list[Evidence], found: Findings, more: Evidence
) -> None:
    if assess(body, found, PROFILE).recommendation in NOT_NO:
        assert assess([*body, more], found, PROFILE).recommendation in NOT_NO


def test_the_founded_case_is_launched() -> None:
    assert assess([LAUNCH], Findings(), PROFILE).recommendation is Recommendation.LAUNCH
