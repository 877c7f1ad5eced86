"""Two assessments compared: what changed, why, and nothing that a report or an officer wrote."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.assessment import assess
from classification.comparison import (
    Standing,
    compare,
    report_changes,
    standings_of,
)
from classification.evidence import Evidence
from classification.findings import ExpectedPropagation, Findings
from protocol.grades import Grade
from protocol.report import Disruption
from tests.classification.builders import PROFILE, bodies, make_evidence

HELD = make_evidence(
    "2-a",
    "X4",
    criteria={"essential-service-disrupted", "the wards of Saint Elsewhere"},
    countries={"DE", "ES", "FR"},
    organisations={"saint elsewhere"},
    sectors={"health"},
    self_propagating=True,
    disruption=Disruption.OBSERVED,
)
POLICE = dataclasses.replace(
    HELD,
    report_id="2-b",
    origin="police",
    grade=Grade.parse("B2"),
    countries=frozenset({"DE", "ES", "FR", "NL"}),
)


def test_an_assessment_compared_with_itself_says_that_nothing_changed() -> None:
    same = assess([HELD], Findings(), PROFILE)
    assert compare(same, same).why == ("Same class and recommendation.",)


@pytest.mark.requirement("R13", "R17")
def test_what_turned_a_held_launch_is_named_with_the_reports_that_came() -> None:
    before = assess([HELD], Findings(), PROFILE)
    after = assess([HELD, POLICE], Findings(), PROFILE)
    found = compare(
        before, after, report_changes(standings_of([HELD]), standings_of([HELD, POLICE]))
    )
    assert str(found.recommendation) == "hold-corroborate -> launch"
    assert found.confirmed.gained == ("essential-service-disrupted",)
    assert found.gates.gained == ("G4",)
    assert found.countries.gained == ("NL",)
    assert found.why == (
        "Recommendation hold-corroborate -> launch.",
        "Criteria confirmed: +essential-service-disrupted.",
        "States with victims: +NL.",
        "Gates passed: +G4.",
        "Victims, at least: 3 -> 4.",
        "Added: 1 report(s): 2-b.",
    )


def test_levels_triggers_grades_withdrawals_and_findings_are_told() -> None:
    expected = ExpectedPropagation(officer="ana", text="it is sold in a forum", probability=0.9)
    quiet = make_evidence("2-c", criteria={"significant-incident"}, countries={"DE", "FR"})
    regraded = dataclasses.replace(quiet, grade=Grade.parse("A1"))
    gone = dataclasses.replace(HELD, retracted=True)
    before = assess([HELD, quiet], Findings(), PROFILE)
    after = assess([gone, regraded], Findings(propagation=expected), PROFILE)
    found = compare(
        before,
        after,
        report_changes(standings_of([HELD, quiet]), standings_of([gone, regraded])),
        findings=(0, 1),
    )
    assert str(found.impact) == "I3 -> I2"
    assert found.reports.withdrawn.ids == ("2-a",)
    assert [(r.report, r.before, r.after) for r in found.reports.regradings] == [
        ("2-c", "B2", "A1")
    ]
    said = " ".join(found.why)
    assert "Withdrawn: 1 report(s): 2-a." in said
    assert "Graded anew: 1 report(s): 2-c B2 -> A1." in said
    assert "Officers' findings: version 0 -> 1." in said
    assert "Level of impact I3 -> I2." in said


@pytest.mark.requirement("R32")
def test_nothing_that_a_report_or_an_officer_wrote_stands_in_the_sentences() -> None:
    said = ExpectedPropagation(officer="ana", text="it is sold in a forum", probability=0.9)
    before = assess([], Findings(), PROFILE)
    after = assess([HELD, POLICE], Findings(propagation=said), PROFILE)
    words = " ".join(compare(before, after).why)
    for secret in ("Elsewhere", "elsewhere", "forum", "ana", "police"):
        assert secret not in words


@given(bodies(), bodies())
def test_compared_the_other_way_round_gains_are_losses(
    one: list[Evidence], other: list[Evidence]
) -> None:
    first, second = (assess(each, Findings(), PROFILE) for each in (one, other))
    there, back = compare(first, second), compare(second, first)
    for name in ("criteria", "confirmed", "countries", "triggers", "gates"):
        assert getattr(there, name).gained == getattr(back, name).lost
    assert there.recommendation.before == back.recommendation.after


STANDINGS = st.dictionaries(
    st.sampled_from([f"2-{n}" for n in range(20)]),
    st.builds(Standing, grade=st.sampled_from(("", "B2", "X4")), withdrawn=st.booleans()),
)


@given(STANDINGS, STANDINGS)
def test_the_numbers_of_reports_add_up(
    before: dict[str, Standing], after: dict[str, Standing]
) -> None:
    found = report_changes(before, after)
    assert len(after) == len(before) + found.added.total - found.removed.total
    assert len(found.added.ids) == min(found.added.total, 10)
    withdrawn = sum(each.withdrawn for name, each in before.items() if name in after)
    still = sum(each.withdrawn for name, each in after.items() if name in before)
    assert still == withdrawn + found.withdrawn.total - found.restored.total


def test_a_report_that_an_officer_moved_away_is_told_apart_from_a_withdrawn_one() -> None:
    found = report_changes(standings_of([HELD, POLICE]), standings_of([POLICE]))
    assert found.removed.ids == ("2-a",)
    assert found.withdrawn.total == 0
