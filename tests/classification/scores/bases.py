"""What reports say of a situation, made by a function for the tests of the side scores."""

from __future__ import annotations

from typing import Any

from classification.scores.basis import Basis
from protocol.report import Cause, Disruption, ImpactLevel


def make_basis(*criteria: str, **said: Any) -> Basis:
    """Nothing is known but what is said."""
    given: dict[str, Any] = {
        "impact": ImpactLevel.I0,
        "confirmed": False,
        "sectors": frozenset(),
        "member_states": frozenset(),
        "disruption": Disruption.UNKNOWN,
        "cause": Cause.PRESUMED_MALICIOUS,
        "loss_eur_min": None,
    }
    return Basis(criteria=frozenset(criteria), **{**given, **said})


NOTHING = make_basis()
