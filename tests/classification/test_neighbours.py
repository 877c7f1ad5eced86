"""What it takes to come to the next class, in words."""

from __future__ import annotations

from typing import Any

import pytest

from classification.matrix import ReachLevel, ThreatClass
from classification.neighbours import Neighbour
from protocol.report import ImpactLevel

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
