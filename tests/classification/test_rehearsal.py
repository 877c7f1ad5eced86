"""The stepper: hour by hour, what arrived, where it stood, and which arrival turned it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from classification.assessment import assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.rehearsal import (
    HOUR,
    Arrival,
    Hour,
    News,
    Regrading,
    Withdrawal,
    rehearse,
)
from protocol.errors import Refused
from protocol.grades import Grade
from protocol.report import Disruption
from protocol.stages import Recommendation
from tests.classification.builders import PROFILE, bodies, make_evidence

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLAIM = make_evidence(
    "5-a",
    "X4",
    criteria={"essential-service-sustained-denial"},
    countries={"DE", "ES", "FR", "NL"},
    sectors={"health"},
    disruption=Disruption.OBSERVED,
)


def at(minutes: int, news: News, name: str = "") -> Arrival:
    return Arrival(
        at=NOON + timedelta(minutes=minutes), name=name or type(news).__name__, news=news
    )


def steps(*arrivals: Arrival) -> list[Hour]:
    return list(rehearse(arrivals, PROFILE, begins=NOON))


@pytest.mark.requirement("R11", "R15")
def test_the_arrival_that_turns_the_recommendation_is_named_with_its_time() -> None:
    hours = steps(
        at(10, CLAIM, "claim"),
        at(130, make_evidence("3-b", criteria={"small-loss"}, countries={"DE"}), "aside"),
        at(140, Regrading(report_id="5-a", grade=Grade.parse("B2")), "letter"),
    )
    assert [hour.assessment.recommendation for hour in hours] == [
        Recommendation.HOLD_CORROBORATE,
        Recommendation.HOLD_CORROBORATE,
        Recommendation.LAUNCH,
    ]
    (turn,) = hours[2].turns
    assert (turn.by, turn.at) == ("letter", NOON + timedelta(minutes=140))
    assert (turn.before, turn.after) == (Recommendation.HOLD_CORROBORATE, Recommendation.LAUNCH)
    assert [hour.arrived for hour in hours] == [("claim",), (), ("aside", "letter")]
    assert [hour.reports for hour in hours] == [1, 1, 2]


def test_what_arrives_at_the_end_of_a_step_belongs_to_the_next() -> None:
    hours = steps(at(60, CLAIM))
    assert [hour.arrived for hour in hours] == [(), ("Evidence",)]
    assert hours[1].begins == hours[0].ends == NOON + HOUR


def test_a_withdrawal_turns_it_back() -> None:
    hours = steps(at(0, CLAIM), at(90, Withdrawal(report_id="5-a"), "withdrawn"))
    assert hours[1].turns[0].by == "withdrawn"
    assert hours[1].assessment.recommendation is Recommendation.NORMAL_PROCEDURE


@pytest.mark.parametrize(
    ("arrival", "named"),
    [
        (at(-1, CLAIM, "early"), "early"),
        (at(5, CLAIM, "again"), "twice"),
        (at(5, Withdrawal(report_id="9-z"), "nothing"), "9-z"),
        (at(5, Regrading(report_id="9-z", grade=Grade.parse("A1")), "nothing"), "9-z"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(arrival: Arrival, named: str) -> None:
    with pytest.raises(Refused, match=named) as refused:
        steps(at(0, CLAIM), arrival)
    assert refused.value.reason == "bad-scenario"


@given(bodies())
def test_the_last_hour_stands_where_an_assessment_of_all_reports_stands(
    body: list[Evidence],
) -> None:
    hours = steps(*(at(25 * number, item) for number, item in enumerate(body)))
    if body:
        assert hours[-1].assessment == assess(body, Findings(), PROFILE)
    assert sum(len(hour.arrived) for hour in hours) == len(body)


@given(bodies())
def test_turns_follow_on_one_another_without_a_gap(body: list[Evidence]) -> None:
    hours = steps(*(at(25 * number, item) for number, item in enumerate(body)))
    turns = [turn for hour in hours for turn in hour.turns]
    stands = Recommendation.NORMAL_PROCEDURE
    for turn in turns:
        assert turn.before is stands
        stands = turn.after
    if hours:
        assert hours[-1].assessment.recommendation is stands
