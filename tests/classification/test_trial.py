"""A trial says what an assessment from the start would say, and costs next to nothing."""

from __future__ import annotations

import dataclasses
import gc
import statistics
from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classification.assessment import assess, assess_claims
from classification.changes import Change, ChangeKind, applied
from classification.collecting import collect
from classification.evidence import Evidence
from classification.findings import Findings
from classification.space import changes_of
from classification.trial import Trial
from protocol.report import Disruption
from tests.classification.builders import GRADES, PROFILE, RULES, bodies, make_evidence, stated

pytestmark = pytest.mark.requirement("R13")
REPORTS = 20_000
EVALUATIONS = 100
SUMS = 20
FOUND = Findings(triggers=(stated("T4"),))


@given(data=st.data(), body=bodies())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_changes_made_and_undone_leave_what_an_assessment_from_the_start_says(
    data: st.DataObject, body: list[Evidence]
) -> None:
    trial = Trial(body, FOUND, PROFILE)
    changes = changes_of(body, trial.claims, FOUND, PROFILE, at_most=3)
    some = data.draw(st.lists(st.sampled_from(changes), max_size=8, unique_by=lambda c: c.slot))
    for made in (some[:3], some, some[3:], []):
        after = applied(made, body, FOUND)
        claims = collect(after.evidence, RULES)
        expected = assess_claims(claims, after.findings, PROFILE, after.refuted)
        standing = trial.tried(made)
        assert standing.result == (expected.threat_class, expected.recommendation)
        assert standing.passed == {gate.id for gate in expected.gates if gate.passed}


def storm() -> list[Evidence]:
    """An incident of so many reports, all different, of 300 sources and all grades."""
    criteria, states = sorted(RULES.impact_criteria), ("DE", "ES", "FR", "IT", "PL")
    disruptions = list(Disruption)
    return [
        make_evidence(
            f"2-{n:06}",
            origin=f"source {n * 7 % 300}",
            criteria={criteria[n * 11 % len(criteria)]},
            countries={states[n % 5], states[n * 3 % 5]},
            organisations={f"organisation {n}"},
            sectors={("health", "energy", "food")[n % 3]},
            victims_min=n * 13 % 50,
            disruption=disruptions[n % 4],
        )
        for n in range(REPORTS)
    ]


def changed(item: Evidence, number: int) -> Change:
    """Every other report is graded anew, the others are withdrawn."""
    regraded = number % 2 == 0
    return Change(
        kind=ChangeKind.REGRADED if regraded else ChangeKind.WITHDRAWN,
        words="",
        slot=item.report_id,
        levers=frozenset(),
        report=item,
        becomes=dataclasses.replace(item, grade=GRADES[number % len(GRADES)])
        if regraded
        else dataclasses.replace(item, retracted=True),
    )


def cost(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def test_100_evaluations_of_20000_reports_take_under_20_sums_over_them() -> None:
    """The reports are read once; each evaluation is of the incident with another change.

    An evaluation that reads all reports again costs hundreds of sums, so that the bound tells the
    two apart. Processor time of interleaved runs, the best of each: load only ever adds to it.
    """
    body = storm()
    trial = Trial(body, FOUND, PROFILE)
    changes = [changed(body[n * (REPORTS // EVALUATIONS)], n) for n in range(EVALUATIONS)]
    assert trial.tried(changes).result == assess_result(applied(changes, body, FOUND).evidence)
    gc.collect()
    gc.disable()
    try:
        pairs = [
            (
                cost(lambda: [trial.tried([change]) for change in changes]),
                cost(lambda: sum(item.victims_min for item in body)),
            )
            for _ in range(25)
        ]
    finally:
        gc.enable()
    evaluations, sums = zip(*pairs, strict=True)
    ratio = min(evaluations) / statistics.median(sums)
    assert ratio < SUMS


def assess_result(body: tuple[Evidence, ...]) -> tuple[object, object]:
    assessed = assess(body, FOUND, PROFILE)
    return assessed.threat_class, assessed.recommendation
