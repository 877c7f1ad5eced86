"""What would change it, against brute force: every set of changes, each assessed from the start."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification.changes import Change, ChangeKind
from classification.evidence import Evidence
from classification.findings import Findings
from classification.sensitivity import Goal, smallest_sets, what_would_change
from classification.space_reports import least_grades
from classification.trial import Trial
from protocol.grades import Grade
from tests.classification.brute_force import (
    ORIGINS,
    SLOW,
    bodies,
    brute_force,
    findings,
    items,
    reaches,
    result,
    single_changes,
    sorts,
)
from tests.classification.builders import GRADES, PROFILE, RULES, make_evidence

pytestmark = pytest.mark.requirement("R13", "R15")


def some_of(changes: list[Change], most: int) -> st.SearchStrategy[list[Change]]:
    return st.lists(st.sampled_from(changes), max_size=most, unique_by=lambda c: (c.slot, c.words))


@given(data=st.data(), body=bodies, found=findings)
@settings(SLOW, max_examples=500)
def test_the_search_finds_exactly_the_smallest_sets_that_brute_force_finds(
    data: st.DataObject, body: tuple[Evidence, ...], found: Findings
) -> None:
    """On some changes of the case: all sets of up to three, each assessed from the start."""
    everything = single_changes(body, found, 3)
    more = (ChangeKind.REPORTED, ChangeKind.STATED)
    groups = (
        [change for change in everything if change.rank == 0 and change.kind in more],
        [change for change in everything if change.rank == 0 and change.kind not in more],
    )
    changes = tuple(
        change for group in groups for change in (data.draw(some_of(group, 5)) if group else ())
    )
    expected = brute_force(changes, body, found, 3)
    trial = Trial(body, found, PROFILE)
    for goal in Goal:
        if reaches(goal, result((), body, found), result((), body, found)):
            continue
        searched, sets = smallest_sets(trial, changes, goal, at_most=3)
        size, best = expected.get(goal, (3, []))
        assert (goal, searched, sorts(sets)) == (goal, size, sorts(best))


@given(body=bodies, found=findings)
@settings(SLOW, max_examples=12)
def test_of_all_changes_no_smaller_set_reaches_the_goal_and_none_is_left_out(
    body: tuple[Evidence, ...], found: Findings
) -> None:
    changes = single_changes(body, found, 2)
    expected = brute_force(changes, body, found, 2)
    said = what_would_change(body, found, PROFILE, at_most=2)
    for ways in said.goals:
        size, best = expected.get(ways.goal, (None, []))
        assert (ways.size, ways.total) == (size, len(sorts(best)))
        assert ways.searched == (size or 2)


templates = st.lists(items("any"), min_size=1, max_size=3)


@given(data=st.data(), some=templates, found=findings)
@settings(SLOW, max_examples=60)
def test_reports_that_are_left_out_or_alike_hide_no_smaller_set(
    data: st.DataObject, some: list[Evidence], found: Findings
) -> None:
    """Every regrading and withdrawal of every single report, of bodies that repeat themselves."""
    copies = data.draw(st.lists(st.sampled_from(some), min_size=1, max_size=6))
    body = tuple(
        dataclasses.replace(
            item,
            report_id=f"2-{n}",
            origin=data.draw(st.sampled_from((*ORIGINS, f"own {n}"))),
            organisations=item.organisations
            | data.draw(st.sampled_from((frozenset(), frozenset({f"only of {n}"})))),
        )
        for n, item in enumerate(copies)
    )
    every = tuple(
        Change(
            kind=ChangeKind.REGRADED if grade else ChangeKind.WITHDRAWN,
            words="",
            slot=f"report {item.report_id}",
            levers=frozenset(),
            report=item,
            becomes=dataclasses.replace(
                item, grade=grade or item.grade, retracted=item.retracted or grade is None
            ),
        )
        for item in body
        if not item.retracted
        for grade in (*least_grades(RULES).values(), None)
    )
    expected = brute_force(every, body, found, 2)
    trial = Trial(body, found, PROFILE)
    of_reports = tuple(c for c in single_changes(body, found, 2) if c.report is not None)
    now = result((), body, found)
    for goal in Goal:
        if not reaches(goal, now, now):
            _, sets = smallest_sets(trial, of_reports, goal, at_most=2)
            least = expected[goal][0] if goal in expected else None
            assert (goal, len(sets[0]) if sets else None) == (goal, least)


@given(item=items("2-a"), grade=st.sampled_from(GRADES), found=findings)
@settings(SLOW)
def test_a_grade_that_is_no_target_does_what_one_of_the_targets_does(
    item: Evidence, grade: Grade, found: Findings
) -> None:
    other = make_evidence("2-b", "B3", countries={"DE"}, criteria={"control-plane-taken"})
    regraded = dataclasses.replace(item, grade=grade)
    ends = [
        result((), (dataclasses.replace(item, grade=target), other), found)
        for target in least_grades(RULES).values()
    ]
    assert result((), (regraded, other), found) in ends


@given(body=bodies, found=findings)
@settings(SLOW, max_examples=20)
def test_repeating_or_reordering_the_evidence_changes_nothing(
    body: tuple[Evidence, ...], found: Findings
) -> None:
    again = (*reversed(body), *body)
    assert what_would_change(again, found, PROFILE, at_most=1) == what_would_change(
        body, found, PROFILE, at_most=1
    )
