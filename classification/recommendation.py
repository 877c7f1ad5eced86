"""The decision rule: from class, triggers and gates to what the software recommends.

Source: domain 3.4; R15, R16, R18, R19.
"""

from __future__ import annotations

from collections.abc import Iterable

from classification.findings import TriggerId
from classification.gates import GateId
from classification.matrix import ThreatClass
from protocol.stages import Recommendation

DECISIVE = frozenset({TriggerId.T1, TriggerId.T2, TriggerId.T5})
"""One of these must be among the two that lift C2."""
LIFT_C2 = 2


def wants_launch(threat_class: ThreatClass, triggers: frozenset[TriggerId]) -> bool:
    """The rule before the gates: C4; C3 and a trigger; C2 and two of them, one decisive."""
    match threat_class:
        case ThreatClass.C4:
            return True
        case ThreatClass.C3:
            return bool(triggers)
        case ThreatClass.C2:
            return len(triggers) >= LIFT_C2 and bool(triggers & DECISIVE)
        case _:
            return False


def recommend(
    threat_class: ThreatClass, triggers: frozenset[TriggerId], passed: Iterable[GateId]
) -> tuple[Recommendation, str]:
    """What to recommend, and the rule that says so.

    Ungraded reports (G3) hold a launch as unconfirmed levels do (G4): stage II cannot end while
    an item is ungraded (R11).
    """
    open_gates = frozenset(passed)
    found = f"{threat_class} with {', '.join(sorted(triggers)) or 'no trigger'}"
    if GateId.G1 not in open_gates:
        return Recommendation.OUT_OF_SCOPE, "a cause that is not criminal is clear (G1)"
    if not wants_launch(threat_class, triggers):
        if threat_class in (ThreatClass.C0, ThreatClass.C1):
            return Recommendation.NORMAL_PROCEDURE, f"{found} is for normal procedure"
        return Recommendation.MONITOR, f"{found} is not an emergency yet"
    if GateId.G2 not in open_gates:
        return Recommendation.NO_EU_NEXUS, f"{found}, but no state of the EU is affected (G2)"
    if failed := sorted({GateId.G3, GateId.G4} - open_gates):
        return Recommendation.HOLD_CORROBORATE, f"{found}, but not passed: {', '.join(failed)}"
    return Recommendation.LAUNCH, f"{found}, and every gate is passed"
