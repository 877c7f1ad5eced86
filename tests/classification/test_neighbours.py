"""What it takes to come to the next class, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.matrix import Placement, ReachLevel, ThreatClass, capped, cell
from classification.neighbours import Neighbour, higher, lower
from protocol.profile import ClassificationRules
from protocol.report import Disruption, ImpactLevel
from tests.classification.builders import RULES

pytestmark = pytest.mark.requirement("R13")

K1 = "a disruption of services, observed or within 72 hours (K1)"
BOTH = {"impact": ImpactLevel.I3, "reach": ReachLevel.P4}


def near(**said: Any) -> Neighbour:
    nothing = {"impact": None, "reach": None, "disruption": False}
    return Neighbour(threat_class=ThreatClass.C4, **(nothing | said))


@pytest.mark.parametrize(
    ("neighbour", "words"),
    [
        (near(**BOTH), "impact I3 or reach P4"),
        (near(impact=ImpactLevel.I3), "impact I3"),
        (near(reach=ReachLevel.P4), "reach P4"),
        (near(**BOTH, disruption=True), f"impact I3 or reach P4, and {K1}"),
        (near(disruption=True), K1),
        (near(), "both more impact and more reach than I2/P3"),
    ],
)
def test_what_it_takes_to_rise(neighbour: Neighbour, words: str) -> None:
    assert neighbour.rise("I2/P3") == words


@pytest.mark.parametrize(
    ("neighbour", "words"),
    [
        (near(**BOTH), "impact I3 or reach P4"),
        (near(reach=ReachLevel.P4, disruption=True),
         "reach P4 or no services disrupted nor about to be (K1)"),
        (near(), "nothing on one axis alone"),
    ],
)  # fmt: skip
def test_what_is_enough_to_fall(neighbour: Neighbour, words: str) -> None:
    assert neighbour.fall() == words


IMPACTS, REACHES, CLASSES = list(ImpactLevel), list(ReachLevel), list(ThreatClass)


@st.composite
def matrices(draw: st.DrawFn) -> ClassificationRules:
    """The profile's rules with any cells that never fall along a row or a column."""
    rows: list[tuple[int, ...]] = []
    for _ in IMPACTS:
        above = rows[-1] if rows else (0,) * len(REACHES)
        row: list[int] = []
        for least in above:
            row.append(draw(st.integers(max([least, *row[-1:]]), len(CLASSES) - 1)))
        rows.append(tuple(row))
    return RULES.model_copy(update={"cells": tuple(rows)})


@given(matrices(), st.sampled_from(IMPACTS), st.sampled_from(REACHES), st.sampled_from(Disruption))
def test_the_next_class_is_reached_at_the_nearest_level_that_gives_it(
    rules: ClassificationRules, impact: ImpactLevel, reach: ReachLevel, disruption: Disruption
) -> None:
    before_cap = cell(impact, reach, rules)
    placement = Placement(
        impact=impact,
        deciding=(),
        reach=reach,
        reach_reason="",
        before_cap=before_cap,
        threat_class=capped(before_cap, disruption, rules),
    )
    disrupted = disruption in {Disruption.OBSERVED, Disruption.IMMINENT}
    up = higher(placement, rules, disrupted=disrupted)
    down = lower(placement, rules)
    here = CLASSES.index(placement.threat_class)

    assert (up is None) is (placement.threat_class is CLASSES[-1])
    assert (down is None) is (placement.threat_class is CLASSES[0])
    if up is not None:
        assert up.threat_class is CLASSES[here + 1]
        assert up.disruption is (up.threat_class is CLASSES[-1] and not disrupted)
        if placement.before_cap is not placement.threat_class:
            assert (up.impact, up.reach) == (None, None)
        else:
            rising = [i for i in IMPACTS if i > impact and cell(i, reach, rules) >= up.threat_class]
            wider = [p for p in REACHES if p > reach and cell(impact, p, rules) >= up.threat_class]
            assert up.impact == min(rising, default=None)
            assert up.reach == min(wider, default=None)
    if down is not None:
        assert down.threat_class is CLASSES[here - 1]
        assert down.disruption is (placement.threat_class is CLASSES[-1])
        now = placement.threat_class
        milder = [i for i in IMPACTS if i < impact and cell(i, reach, rules) < now]
        narrower = [p for p in REACHES if p < reach and cell(impact, p, rules) < now]
        assert down.impact == max(milder, default=None)
        assert down.reach == max(narrower, default=None)
