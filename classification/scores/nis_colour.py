"""The impact severity of the NIS Cooperation Group's taxonomy (CG 04/2018), as a colour.

Beside the colour stand the other parts of the taxonomy: nature of the cause, sectors and the outlook of
the next six hours.
Source: domain 2.5, 3.2; matrix levels by domain 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from classification.scores.basis import Basis
from classification.scores.result import (
    ScoreFacts,
    ScoreId,
    SideScore,
    together,
    unknown,
    whenever,
)
from protocol.report import Cause, ImpactLevel


class Colour(StrEnum):
    """The least grave first."""

    WHITE = "white"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Outlook(StrEnum):
    """How the impact will develop in the next six hours."""

    IMPROVING = "improving"
    STABLE = "stable"
    WORSENING = "worsening"


class Severity(StrEnum):
    """How severe the threat is, apart from its impact."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class RootCause(StrEnum):
    """The nature of the cause, in the words of the taxonomy."""

    SYSTEM_FAILURES = "system-failures"
    NATURAL_PHENOMENA = "natural-phenomena"
    HUMAN_ERRORS = "human-errors"
    MALICIOUS_ACTIONS = "malicious-actions"
    THIRD_PARTY_FAILURES = "third-party-failures"


_MEANINGS = {
    Colour.WHITE: "no impact",
    Colour.GREEN: "minor impact",
    Colour.YELLOW: "large impact",
    Colour.RED: "very large impact",
}
_BY_LEVEL = {
    ImpactLevel.I0: Colour.WHITE,
    ImpactLevel.I1: Colour.GREEN,
    ImpactLevel.I3: Colour.YELLOW,
    ImpactLevel.I4: Colour.RED,
}
"""Where the matrix puts the colours; it puts none at I2."""
_BY_TAG = {f"nis-severity-{colour}": colour for colour in Colour}
_BY_CAUSE = {
    Cause.MALICIOUS: RootCause.MALICIOUS_ACTIONS,
    Cause.TECHNICAL_FAILURE: RootCause.SYSTEM_FAILURES,
    Cause.NATURAL: RootCause.NATURAL_PHENOMENA,
    Cause.HUMAN_ERROR: RootCause.HUMAN_ERRORS,
    Cause.THIRD_PARTY: RootCause.THIRD_PARTY_FAILURES,
}
"""A presumption is no cause that the taxonomy knows."""


class NisFacts(ScoreFacts):
    """The taxonomy's fields; the colour alone decides the value."""

    colour: Colour | None = Field(default=None, description="impact severity")
    root_cause: RootCause | None = Field(default=None, description="nature of the cause")
    threat_severity: Severity | None = Field(default=None, description="severity of the threat")
    sectors: frozenset[str] | None = Field(default=None, description="sectors impacted")
    outlook: Outlook | None = Field(default=None, description="outlook of the next six hours")


def nis_colour(facts: NisFacts, basis: Basis) -> SideScore:
    """The colour that reporters tagged or the impact level has; an officer's beats both."""
    known, inputs = together(facts, _derived(basis))
    return SideScore(
        id=ScoreId.NIS_COLOUR,
        title="NIS Cooperation Group impact severity, white to red",
        source="domain 3.2; CG 04/2018",
        value=known.colour,
        meaning=_MEANINGS[known.colour] if known.colour else "no colour follows from the impact",
        missing=unknown(known, ("colour",)),
        inputs=inputs,
    )


def _derived(basis: Basis) -> Mapping[str, object]:
    order = list(Colour)
    tagged = max((_BY_TAG[c] for c in basis.criteria & set(_BY_TAG)), key=order.index, default=None)
    colour = tagged or (_BY_LEVEL.get(basis.impact) if basis.criteria else None)
    cause = _BY_CAUSE.get(basis.cause)
    return {
        **whenever(colour is not None, colour=colour),
        **whenever(cause is not None, root_cause=cause),
        **whenever(bool(basis.sectors), sectors=basis.sectors),
    }
