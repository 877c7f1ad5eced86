"""What a held launch waits for: claims that nobody has confirmed, each with the reports behind it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given

from classification.assessment import assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.gates import GateId
from classification.verification import GRADING, verifications
from protocol.grades import Grade
from protocol.report import Disruption
from protocol.stages import Recommendation
from tests.classification.builders import PROFILE, RULES, bodies, make_evidence

BEST = Grade.parse("A1")


def subjects(*evidence: Evidence) -> list[str]:
    return [each.subject for each in verifications(evidence, Findings(), PROFILE)]


def worm(report_id: str = "5-press", grade: str = "X4", **said: object) -> Evidence:
    stated: dict[str, object] = {
        "criteria": {"essential-service-sustained-denial"},
        "countries": {"ES", "PT"},
        "sectors": {"health"},
        "organisations": {"Saint Elsewhere"},
        "self_propagating": True,
        "disruption": Disruption.OBSERVED,
    }
    return make_evidence(report_id, grade, **{**stated, **said})


@pytest.mark.requirement("R11", "R16")
def test_a_claim_that_only_unjudged_reports_make_is_to_be_verified_level_by_level() -> None:
    found = verifications([worm()], Findings(), PROFILE)
    assert [each.subject for each in found] == [
        "impact/essential-service-sustained-denial",
        "reach/states",
        "reach/propagation",
    ]
    assert {each.level for each in found} == {"I4", "P4"}
    assert all(each.reports.ids == ("5-press",) for each in found)
    assert "B2 or better" in found[0].wanted
    assert "victims in ES, PT" in found[1].claim


def test_what_is_confirmed_is_not_asked_again() -> None:
    police = make_evidence(
        "2-police",
        criteria={"essential-service-sustained-denial"},
        countries={"ES"},
        self_propagating=True,
        disruption=Disruption.OBSERVED,
    )
    found = verifications([worm(), police], Findings(), PROFILE)
    assert [(each.subject, each.reports.ids) for each in found] == [("reach/states", ("5-press",))]
    assert "PT" in found[0].claim
    assert "ES" not in found[0].claim


def test_nothing_is_to_be_verified_where_good_reports_carry_both_levels() -> None:
    assert subjects(worm(grade="B2")) == []


def test_victims_and_organisations_are_asked_for_where_the_reach_stands_on_them() -> None:
    many = make_evidence("3-a", "X4", countries={"DE"}, victims_min=2_000)
    assert subjects(many, make_evidence("2-b", countries={"DE"})) == ["reach/victims"]
    several = make_evidence("3-a", "X4", countries={"DE"}, organisations={"a", "b"})
    assert subjects(several, make_evidence("2-b", countries={"DE"})) == ["reach/organisations"]


def test_what_follows_from_two_disrupted_sectors_names_the_reports_of_those() -> None:
    one = worm("5-a", criteria={"essential-service-disrupted"}, sectors={"health"})
    two = worm("5-b", criteria={"essential-service-disrupted"}, sectors={"energy"})
    found = verifications([one, two], Findings(), PROFILE)
    assert found[0].subject == "impact/several-essential-sectors"
    assert found[0].reports.ids == ("5-a", "5-b")


@pytest.mark.requirement("R11")
def test_ungraded_reports_are_a_task_of_their_own() -> None:
    ungraded = dataclasses.replace(worm(), grade=None)
    assert subjects(ungraded)[0] == GRADING


@pytest.mark.requirement("R32")
def test_a_task_says_nothing_that_a_report_says() -> None:
    hostile = worm(criteria={"essential-service-disrupted", "call 0900 now"})
    text = " ".join(
        each.model_dump_json() for each in verifications([hostile], Findings(), PROFILE)
    )
    for secret in ("Elsewhere", "0900", "health", "origin"):
        assert secret not in text


def test_the_best_graded_reports_stand_first_and_those_without_a_grade_last() -> None:
    reports = [
        dataclasses.replace(worm("2-a"), grade=None),
        worm("2-b", "C4"),
        worm("2-c", "B3"),
        worm("2-d", "C4"),
    ]
    found = {each.subject: each.reports for each in verifications(reports, Findings(), PROFILE)}
    impact = found["impact/essential-service-sustained-denial"]
    assert impact.ids == ("2-c", "2-b", "2-d", "2-a")
    assert (found[GRADING].ids, found[GRADING].total) == (("2-a",), 1)


def test_of_very_many_reports_ten_are_named_and_all_are_counted() -> None:
    reports = [worm(f"2-{n:02}") for n in range(12)]
    found = verifications(reports, Findings(), PROFILE)
    assert all(len(each.reports.ids) == 10 and each.reports.total == 12 for each in found)


def test_a_level_that_is_confirmed_by_another_claim_is_not_asked_for() -> None:
    police = make_evidence(
        "2-police", criteria={"essential-service-sustained-denial"}, countries={"ES"}
    )
    press = make_evidence("5-press", "X4", criteria={"risk-to-life"}, countries={"ES"})
    levels = RULES.impact_criteria
    assert levels["risk-to-life"] == levels["essential-service-sustained-denial"]
    assert subjects(police, press) == []


def test_what_alone_would_lift_the_reach_is_asked_for_and_what_would_not_is_left() -> None:
    """The states alone carry P4; the organisations beside them change nothing."""
    press = make_evidence(
        "5-press", "X4", countries={"AT", "BE", "DE", "ES", "FR"}, organisations={"a", "b"},
        self_propagating=True,
    )  # fmt: skip
    police = make_evidence("2-police", countries={"AT"}, self_propagating=True)
    assert subjects(press, police) == ["reach/states"]


@given(bodies())
def test_a_held_launch_always_has_something_to_verify(body: list[Evidence]) -> None:
    result = assess(body, Findings(), PROFILE)
    found = verifications(body, Findings(), PROFILE)
    if result.recommendation is Recommendation.HOLD_CORROBORATE:
        assert found
    if result.impact == "I0" and result.reach == "P0" and result.gate(GateId.G3).passed:
        assert not found


@given(bodies())
def test_reports_that_are_verified_leave_nothing_to_hold_for(body: list[Evidence]) -> None:
    for _ in range(len(body) + 1):
        found = verifications(body, Findings(), PROFILE)
        named = {report for each in found for report in each.reports.ids}
        if not found:
            break
        assert any(item.report_id in named and item.grade != BEST for item in body)
        body = [
            dataclasses.replace(item, grade=BEST) if item.report_id in named else item
            for item in body
        ]
    assert verifications(body, Findings(), PROFILE) == ()
    recommendation = assess(body, Findings(), PROFILE).recommendation
    assert recommendation is not Recommendation.HOLD_CORROBORATE
