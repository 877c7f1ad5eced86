"""The decision rule of domain 3.4, over every class and every set of triggers."""

from __future__ import annotations

from itertools import combinations

import pytest

from classification.findings import TriggerId
from classification.gates import GateId
from classification.matrix import ThreatClass
from classification.recommendation import recommend, wants_launch
from protocol.stages import Recommendation

ALL_GATES = frozenset(GateId)
SETS = [frozenset(c) for n in range(len(TriggerId) + 1) for c in combinations(TriggerId, n)]


def triggers(text: str) -> frozenset[TriggerId]:
    return frozenset(TriggerId(t) for t in text.split())


@pytest.mark.requirement("R15", "R16")
@pytest.mark.parametrize(
    ("threat_class", "fired", "wants"),
    [
        ("C4", "", True),
        ("C3", "", False),
        ("C3", "T7", True),
        ("C2", "T1", False),
        ("C2", "T3 T4 T6 T7 T8", False),
        ("C2", "T1 T3", True),
        ("C2", "T2 T8", True),
        ("C2", "T5 T7", True),
        ("C1", "T1 T2 T3 T4 T5 T6 T7 T8", False),
        ("C0", "T1 T2 T3 T4 T5 T6 T7 T8", False),
    ],
)
def test_class_and_triggers_decide_whether_a_launch_is_wanted(
    threat_class: str, fired: str, wants: bool
) -> None:
    assert wants_launch(ThreatClass(threat_class), triggers(fired)) is wants


@pytest.mark.requirement("R15")
def test_a_further_trigger_or_a_higher_class_never_unwants_a_launch() -> None:
    for fired in SETS:
        wanted = [wants_launch(c, fired) for c in ThreatClass]
        assert wanted == sorted(wanted)
        for more in TriggerId:
            further = [wants_launch(c, fired | {more}) for c in ThreatClass]
            assert all(f >= w for f, w in zip(further, wanted, strict=True))


@pytest.mark.requirement("R18", "R19")
@pytest.mark.parametrize(
    ("threat_class", "fired", "failed", "expected"),
    [
        ("C4", "", "", Recommendation.LAUNCH),
        ("C4", "T1", "G1", Recommendation.OUT_OF_SCOPE),
        ("C0", "", "G1 G2 G3 G4", Recommendation.OUT_OF_SCOPE),
        ("C4", "", "G2", Recommendation.NO_EU_NEXUS),
        ("C4", "", "G2 G3 G4", Recommendation.NO_EU_NEXUS),
        ("C4", "", "G3", Recommendation.HOLD_CORROBORATE),
        ("C4", "", "G4", Recommendation.HOLD_CORROBORATE),
        ("C3", "T3", "G3 G4", Recommendation.HOLD_CORROBORATE),
        ("C3", "", "G2 G4", Recommendation.MONITOR),
        ("C2", "T1", "", Recommendation.MONITOR),
        ("C1", "T1", "", Recommendation.NORMAL_PROCEDURE),
        ("C0", "", "G2 G3 G4", Recommendation.NORMAL_PROCEDURE),
    ],
)
def test_the_gates_come_in_the_order_of_the_rule(
    threat_class: str, fired: str, failed: str, expected: Recommendation
) -> None:
    passed = ALL_GATES - {GateId(g) for g in failed.split()}
    recommendation, rule = recommend(ThreatClass(threat_class), triggers(fired), passed)
    assert recommendation is expected
    assert rule
