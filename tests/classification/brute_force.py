"""Small cases near the borders of the rules, and every set of changes to them, tried the plain way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from classification.changes import Change, applied
from classification.collecting import collect
from classification.evidence import Evidence
from classification.findings import (
    ExpectedPropagation,
    Findings,
    Override,
    ProbableCountry,
    ProbableSector,
)
from classification.judgement import judge
from classification.sensitivity import Goal
from classification.space import changes_of
from classification.trial import Trial
from protocol.grades import Grade
from protocol.report import Cause, Disruption
from tests.classification.builders import PROFILE, RULES, confirmed_cause, stated, subsets

ORIGINS = ("cert-a", "cert-b", "vendor-c")
SOME_GRADES = ("A1", "B2", "B3", "A3", "C2", "X4")
SOME_CRITERIA = (
    "small-loss",
    "significant-incident",
    "control-plane-taken",
    "essential-service-disrupted",
    "risk-to-life",
)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def small(choices: Iterable[Any], most: int = 2) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(sorted(choices)), max_size=most)


def anything(report_id: str) -> st.SearchStrategy[Evidence]:
    """Reports near the borders of the rules, so that a few changes do something."""
    return st.builds(
        Evidence,
        report_id=st.just(report_id),
        origin=st.sampled_from(ORIGINS),
        grade=st.none() | st.sampled_from([Grade.parse(grade) for grade in SOME_GRADES]),
        criteria=small(SOME_CRITERIA),
        countries=small(("DE", "ES", "FR", "IT", "US")),
        organisations=small(("one", "two", "three")),
        organisations_min=st.sampled_from((0, 0, 2)),
        sectors=small(("health", "energy", "food")),
        victims_min=st.sampled_from((0, 0, 3, 600, 1_000, 10_000)),
        self_propagating=st.sampled_from((False, False, True)),
        disruption=st.sampled_from(Disruption),
        cause=st.sampled_from((Cause.PRESUMED_MALICIOUS, Cause.MALICIOUS, Cause.NATURAL)),
        cause_clear=st.booleans(),
        cause_by_authority=st.booleans(),
        retracted=st.sampled_from((False, False, False, True)),
    )


def weighty(report_id: str) -> st.SearchStrategy[Evidence]:
    """Reports that ask for a launch, together if not alone, under grades at the edge of enough."""
    return st.builds(
        Evidence,
        report_id=st.just(report_id),
        origin=st.sampled_from(ORIGINS),
        grade=st.sampled_from([Grade.parse(grade) for grade in ("B3", "B3", "B2", "X4")]),
        criteria=st.sampled_from(
            [frozenset({c}) for c in ("essential-service-disrupted", "significant-incident")]
        ),
        countries=st.sampled_from([frozenset(("DE", "FR")), frozenset({"DE"})]),
        sectors=st.sampled_from([frozenset({"health"}), frozenset()]),
        disruption=st.sampled_from((Disruption.OBSERVED, Disruption.UNKNOWN)),
    )


def items(report_id: str) -> st.SearchStrategy[Evidence]:
    """Any report, often a weighty one."""
    return st.one_of(anything(report_id), weighty(report_id))


bodies = st.integers(0, 4).flatmap(lambda n: st.tuples(*(items(f"2-{i}") for i in range(n))))
findings = st.builds(
    Findings,
    triggers=subsets(("T3", "T4", "T5")).map(lambda ids: tuple(map(stated, sorted(ids)))),
    cause=st.sampled_from((None, None, Cause.NATURAL)).map(lambda c: c and confirmed_cause(c)),
    probable_countries=small((("PT", 0.6), ("DE", 0.55), ("IT", 0.2))).map(
        lambda some: tuple(
            ProbableCountry(officer="o", text="t", country=c, probability=p)
            for c, p in sorted(some)
        )
    ),
    probable_sectors=st.booleans().map(
        lambda yes: (ProbableSector(officer="o", text="t", sector="energy", probability=0.7),) * yes
    ),
    propagation=st.sampled_from((None, None, 0.6, 0.1)).map(
        lambda p: p and ExpectedPropagation(officer="o", text="t", probability=p)
    ),
    override=st.sampled_from((None, None, None, Override(officer="o", reason="r"))),
)


def result(
    changes: Iterable[Change], body: tuple[Evidence, ...], found: Findings
) -> tuple[Any, Any]:
    """By the plain way: the changed reports are read again and judged as a whole."""
    after = applied(changes, body, found)
    judged = judge(collect(after.evidence, RULES), after.findings, PROFILE, after.refuted)
    return judged.threat_class, judged.recommendation


def reaches(goal: Goal, now: tuple[Any, Any], then: tuple[Any, Any]) -> bool:
    if goal is Goal.HIGHER_CLASS:
        return bool(then[0] > now[0])
    if goal is Goal.LOWER_CLASS:
        return bool(then[0] < now[0])
    return bool(then[1].value == goal.value)


def possible_sets(changes: Iterable[Change], size: int) -> Iterator[tuple[Change, ...]]:
    for made in combinations(changes, size):
        if len({change.slot for change in made}) == size:
            yield made


def brute_force(
    changes: Iterable[Change], body: tuple[Evidence, ...], found: Findings, at_most: int
) -> dict[Goal, tuple[int, list[tuple[Change, ...]]]]:
    """For each goal that is reached the least size, and all sets of that size."""
    now = result((), body, found)
    goals = [goal for goal in Goal if not reaches(goal, now, now)]
    reached: dict[Goal, tuple[int, list[tuple[Change, ...]]]] = {}
    for size in range(1, at_most + 1):
        ends = [(made, result(made, body, found)) for made in possible_sets(changes, size)]
        for goal in goals:
            sets = [made for made, then in ends if reaches(goal, now, then)]
            if sets and goal not in reached:
                reached[goal] = (size, sets)
    return reached


def sorts(sets: Iterable[tuple[Change, ...]]) -> set[tuple[tuple[str, str, str], ...]]:
    return {tuple(sorted(change.sort for change in made)) for made in sets}


def single_changes(body: tuple[Evidence, ...], found: Findings, at_most: int) -> tuple[Change, ...]:
    trial = Trial(body, found, PROFILE)
    return changes_of(trial.reports.values(), trial.claims, found, PROFILE, at_most=at_most)
