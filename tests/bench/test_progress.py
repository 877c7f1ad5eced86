"""Rates of a run, and the delays of single reports in it, from what was seen of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerp.bench.chart import Curve, draw
from leerp.bench.gauge import Sample, most_in_flight, percentile
from leerp.bench.latency import Look, spans
from leerp.bench.progress import Point, Timeline
from protocol.errors import Refused


def timeline(*points: tuple[float, int]) -> Timeline:
    return Timeline([Point(at=at, settled=settled) for at, settled in points])


def test_the_rate_leaves_out_what_came_with_the_first_batch() -> None:
    assert timeline((100, 1_000), (101, 2_000), (102, 3_000)).rate == pytest.approx(1_000)


def test_a_run_in_one_batch_has_no_rate() -> None:
    with pytest.raises(Refused, match="--reports"):
        _ = timeline((100, 1_000)).rate


def test_a_run_that_becomes_slower_is_not_flat() -> None:
    steady = timeline(*((float(n), n * 100) for n in range(1, 12)))
    slower = timeline((0, 0), (1, 500), (2, 900), (4, 1_000))
    assert steady.flatness == pytest.approx(1)
    assert slower.flatness == pytest.approx(50 / 500)


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 500)), min_size=2),
    st.integers(1, 40),
)
def test_windows_together_take_as_long_as_the_run(steps: list[tuple[int, int]], count: int) -> None:
    at, settled, points = 0, 0, []
    for seconds, records in steps:
        at, settled = at + seconds, settled + records
        points.append((float(at), settled))
    run = timeline(*points)
    each = (points[-1][1] - points[0][1]) / count
    spent = sum(each / rate for rate in run.windows(count))
    assert spent == pytest.approx(points[-1][0] - points[0][0])


def test_stored_and_told_are_counted_from_the_arrival_at_the_broker() -> None:
    looks = [
        Look(1.0, {("t", 0): 0}, {}),
        Look(2.0, {("t", 0): 2}, {"inc-1": (1, 0)}),
        Look(3.0, {("t", 0): 3}, {"inc-1": (2, 1)}),
        Look(4.0, {("t", 0): 3}, {"inc-1": (2, 2)}),
    ]
    arrivals = [(0, "t", 0, 0, 500), (1, "t", 0, 1, 1_500), (2, "t", 0, 2, 2_900)]
    stored, told = spans(arrivals, looks, {0: "inc-1", 2: "inc-1"})
    assert stored == pytest.approx([1.5, 0.5, 0.1])
    assert told == pytest.approx([2.5, 1.1])


def test_in_flight_is_what_was_read_and_not_settled() -> None:
    run = timeline((1, 10), (2, 40))
    found = [Sample(0.5, 0, 20_000), Sample(1.5, 0, 40_000), Sample(2.5, 0, 40_000)]
    assert most_in_flight(found, run.settled_at, records=40, size=40_000) == 30_000


def test_what_was_let_go_and_read_again_is_not_in_flight() -> None:
    run = timeline((1, 10), (2, 40))
    found = [Sample(0.5, 0, 20_000), Sample(1.5, 0, 45_000), Sample(2.5, 0, 45_000)]
    assert most_in_flight(found, run.settled_at, records=40, size=40_000) == 30_000


def test_99_of_100_are_not_above_the_99th_percentile() -> None:
    values = [float(n) for n in range(1_000)]
    above = sum(value > percentile(values, 0.99) for value in values)
    assert above < 10
    assert percentile([3.0], 0.99) == 3.0


def test_the_chart_has_a_line_of_each_run_in_both_panels() -> None:
    run = timeline((0, 0), (1, 500), (2, 900), (4, 1_000))
    svg = draw("A & B", [Curve.of("intake", run), Curve.of("control", run)], 1_000)
    assert svg.count("<polyline") == 4
    assert "A &amp; B" in svg
    assert "1,000" in svg
