"""Gates and the median over rounds: what decides whether a bench passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerp.bench.gates import GATES, WHAT, measure
from leerp.bench.ratios import Gate, Measure, Round, of_difference, of_pair, of_rounds
from leerp.bench.result import Result

RATES = st.floats(min_value=1, max_value=1e6)


def measured(gate: Gate | None) -> Measure:
    return Measure(name="R0", what="one thing against another", unit="reports/s", gate=gate)


@pytest.mark.parametrize(
    ("gate", "value", "holds"),
    [
        (Gate(0.2), 0.2, True),
        (Gate(0.2), 0.1999, False),
        (Gate(2, at_most=True), 2, True),
        (Gate(2, at_most=True), 2.01, False),
        (None, 0.0001, True),
    ],
)
def test_a_gate_holds_up_to_and_with_its_bound(
    gate: Gate | None, value: float, *, holds: bool
) -> None:
    assert of_pair(measured(gate), value, 1).holds is holds


def test_what_could_not_be_measured_holds_no_gate_but_needs_none_for_the_record() -> None:
    unsteady = [Round(subject=100, before=100, after=200)]
    assert of_rounds(measured(Gate(0.1)), unsteady).value is None
    assert not of_rounds(measured(Gate(0.1)), unsteady).holds
    assert of_rounds(measured(None), unsteady).holds
    assert not of_pair(measured(Gate(2, at_most=True)), 5, 0).holds


def test_a_round_whose_controls_differ_by_more_than_15_percent_is_dropped_and_said_to_be() -> None:
    rounds = [
        Round(subject=50, before=100, after=86),
        Round(subject=99, before=100, after=84),
        Round(subject=30, before=100, after=100),
        Round(subject=20, before=100, after=100),
    ]
    found = of_rounds(measured(Gate(0.2)), rounds)
    assert found.value == pytest.approx(0.3)
    assert [run["dropped"] for run in found.runs] == [False, True, False, False]
    assert "1 of 4 rounds dropped" in found.note


@given(st.lists(st.tuples(RATES, RATES), min_size=1))
def test_the_median_lies_among_the_ratios_of_its_rounds(pairs: list[tuple[float, float]]) -> None:
    rounds = [Round(subject=subject, before=rate, after=rate) for subject, rate in pairs]
    found = of_rounds(measured(None), rounds).value
    ratios = [each.ratio for each in rounds]
    assert found is not None
    assert min(ratios) <= found <= max(ratios)


def test_one_gate_that_fails_fails_the_bench() -> None:
    result = Result(bench="intake", machine={})
    result.add(of_pair(measure("R1"), 30, 100), of_pair(measure("R1b"), 1, 100))
    assert result.holds
    result.add(of_difference(measure("lost"), 1, 100))
    assert not result.holds


def test_every_gate_is_of_something_that_is_said_in_words() -> None:
    assert set(GATES) <= set(WHAT)
    assert measure("R1", on=" postgresql").gate == measure("R1").gate
    assert measure("R1b").gate is None
