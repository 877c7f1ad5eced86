"""The US Cyber Incident Severity Schema (PPD-41): levels 0 to 5.

Source: domain 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from classification.scores.basis import Basis
from classification.scores.ladder import Rung, climb
from classification.scores.result import (
    ScoreFacts,
    ScoreId,
    SideScore,
    together,
    whenever,
)
from protocol.report import ImpactLevel

_NOTHING = "0 baseline (white): unsubstantiated or inconsequential"


class UsFacts(ScoreFacts):
    """What the schema asks of an incident."""

    substantiated: bool | None = Field(
        default=None, description="is it substantiated that something happened"
    )
    imminent_wide_scale_threat: bool | None = Field(
        default=None,
        description="an imminent threat to wide-scale critical infrastructure services, to the "
        "stability of a government or to lives",
    )
    likely_significant_impact: bool | None = Field(
        default=None, description="a significant impact on safety, security or economy is likely"
    )
    likely_demonstrable_impact: bool | None = Field(
        default=None, description="a demonstrable impact on them is likely"
    )
    may_have_impact: bool | None = Field(default=None, description="it may have an impact on them")
    unlikely_impact: bool | None = Field(
        default=None, description="an impact on them is possible, but unlikely"
    )


def us_severity(facts: UsFacts, basis: Basis) -> SideScore:
    """The level; 3 and above is a significant cyber incident there."""
    known, inputs = together(facts, _derived(basis))
    rungs = [
        Rung(value=str(level), words=words, statements=((name, getattr(known, name)),))
        for level, name, words in (
            (5, "imminent_wide_scale_threat", "5 emergency (black)"),
            (4, "likely_significant_impact", "4 severe (red): a significant impact is likely"),
            (3, "likely_demonstrable_impact", "3 high (orange): a demonstrable impact is likely"),
            (2, "may_have_impact", "2 medium (yellow): it may have an impact"),
            (1, "unlikely_impact", "1 low (green): an impact is unlikely"),
        )
    ]
    climbed = climb(rungs)
    value, meaning, missing = None, "nothing is known that speaks for a level", climbed.missing
    if known.substantiated is False or (climbed.rung is None and not missing):
        value, meaning, missing = "0", _NOTHING, ()
    elif known.substantiated is None:
        meaning, missing = "not known to be substantiated", ("substantiated", *missing)
    elif climbed.rung is not None:
        value = None if missing else climbed.rung.value
        meaning = f"at least {climbed.rung.words}" if missing else climbed.rung.words
    return SideScore(
        id=ScoreId.US_SEVERITY,
        title="US Cyber Incident Severity Schema (PPD-41), 0 to 5",
        source="domain 3.2; PPD-41",
        value=value,
        meaning=meaning,
        missing=missing,
        inputs=inputs,
    )


def _derived(basis: Basis) -> Mapping[str, object]:
    at_once = basis.states("several-essential-sectors", "risk-to-life")
    return {
        **whenever(basis.confirmed, substantiated=True),
        **whenever(at_once, imminent_wide_scale_threat=True),
        **whenever(basis.impact >= ImpactLevel.I3, likely_demonstrable_impact=True),
        **whenever(basis.impact >= ImpactLevel.I2, may_have_impact=True),
    }
