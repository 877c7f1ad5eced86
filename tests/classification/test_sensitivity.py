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
from protocol.report import Cause, Disruption
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
from tests.classification.builders import (
    GRADES,
    PROFILE,
    RULES,
    confirmed_cause,
    make_evidence,
    stated,
)

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
        change for group in groups for change in (data.draw(some_of(group, 4)) if group else ())
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
@settings(SLOW, max_examples=10)
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


INCIDENT = {"criteria": {"significant-incident"}, "countries": {"DE", "FR"}}
LOST = INCIDENT | {"criteria": {"essential-service-disrupted"}, "disruption": Disruption.OBSERVED}
SPREADS = {"self_propagating": True}
TAKEN = {"criteria": {"control-plane-taken"}, "countries": {"DE"}, "organisations": {"a", "b"}}
T4 = Findings(triggers=(stated("T4"),))
CLEAR = {"cause": Cause.NATURAL, "cause_clear": True, "cause_by_authority": True}
SECOND = (
    "one more member state were reported affected and a second member state were reported affected"
)
NATURAL = Findings(cause=confirmed_cause(Cause.NATURAL))


@pytest.mark.parametrize(
    ("body", "found", "goal", "words"),
    [
        (
            [make_evidence("a", "A1", **INCIDENT), make_evidence("b", "X4", **LOST)],
            T4,
            Goal.HOLD_CORROBORATE,
            "T4 were no longer stated",
        ),
        (
            [make_evidence("a", "A1", **TAKEN), make_evidence("b", "X4", **SPREADS)],
            Findings(),
            Goal.HOLD_CORROBORATE,
            "one more member state were reported affected",
        ),
        (
            [
                make_evidence("a", "A1", **INCIDENT),
                make_evidence("b", "X4", criteria={"control-plane-taken"}, sectors={"health"}),
            ],
            Findings(),
            Goal.LAUNCH,
            "control-plane-taken were refuted",
        ),
        (
            [
                make_evidence("a", "B3", origin="one", **LOST),
                make_evidence("b", "B3", origin="one", **LOST),
                make_evidence("c", "B3", origin="other", **LOST),
            ],
            Findings(),
            Goal.HOLD_CORROBORATE,
            "report c (B3) were withdrawn",
        ),
        (
            [make_evidence("a", "A1", **LOST), make_evidence("b", None)],
            Findings(),
            Goal.LAUNCH,
            "report b (ungraded) were graded X4",
        ),
        (
            [make_evidence("a", "A1", **LOST), make_evidence("b", "C4", **CLEAR)],
            NATURAL,
            Goal.OUT_OF_SCOPE,
            "report b (C4) were graded B2",
        ),
        (
            [make_evidence("a", "A1", **LOST), make_evidence("b", "A1", **CLEAR)],
            NATURAL,
            Goal.LAUNCH,
            "a credible report said that the cause is malicious",
        ),
        (
            [make_evidence("a", "A1", **{**LOST, "countries": {"US"}})],
            Findings(),
            Goal.LAUNCH,
            SECOND,
        ),
        (
            [make_evidence("a", "A1", **INCIDENT)],
            T4,
            Goal.MONITOR,
            "T4 were no longer stated",
        ),
    ],
)
def test_what_moves_each_gate_and_level_is_found_as_brute_force_finds_it(
    body: list[Evidence], found: Findings, goal: Goal, words: str
) -> None:
    items = tuple(body)
    expected = brute_force(single_changes(items, found, 2), items, found, 2)
    for ways in what_would_change(items, found, PROFILE, at_most=2).goals:
        size, best = expected.get(ways.goal, (None, []))
        assert (ways.goal, ways.size, ways.total) == (ways.goal, size, len(sorts(best)))
        if ways.goal is goal:
            assert words in {" and ".join(c.words for c in way.changes) for way in ways.ways}


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
