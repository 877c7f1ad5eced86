"""The presumption of crime, and who handles the crime while it holds.

Source: Council 15738/17, II.I; R8, R9, R10.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from classification.claims import Claims
from classification.findings import Findings
from classification.gates import GateResult
from protocol.countries import EU_NEXUS
from protocol.parties import RecipientClass
from protocol.report import Cause


class Presumption(StrEnum):
    """Whether the event is handled as a crime; rebutted it may be presumed again (R10)."""

    PRESUMED_CRIMINAL = "presumed-criminal"
    REBUTTED = "rebutted"


class CrimeRoute(BaseModel):
    """Who is responsible in one affected state: its law enforcement and its judiciary."""

    model_config = ConfigDict(frozen=True)

    country: str
    to: tuple[RecipientClass, ...]


def presumption(cause_gate: GateResult) -> Presumption:
    """R8: an attack with criminal intent, unless G1 finds another cause clear."""
    return Presumption.PRESUMED_CRIMINAL if cause_gate.passed else Presumption.REBUTTED


def cause_in_force(cause_gate: GateResult, claims: Claims, findings: Findings) -> Cause:
    """The cause to state: the clear one, malicious where that is confirmed, else presumed."""
    officers = findings.cause.cause if findings.cause else None
    if officers is not None and not cause_gate.passed:
        return officers
    malicious = claims.causes.get(Cause.MALICIOUS)
    if officers is Cause.MALICIOUS or (malicious is not None and malicious.confirmed):
        return Cause.MALICIOUS
    return Cause.PRESUMED_MALICIOUS


def crime_routes(held: Presumption, countries: Iterable[str]) -> tuple[CrimeRoute, ...]:
    """R9: in each affected state the responsible law enforcement and judicial authorities.

    States outside the EU and the EEA are reached through INTERPOL. None once it is rebutted.
    """
    if held is Presumption.REBUTTED:
        return ()
    member = (RecipientClass.LE_POC, RecipientClass.JUDICIAL)
    return tuple(
        CrimeRoute(country=c, to=member if c in EU_NEXUS else (RecipientClass.INTERPOL,))
        for c in sorted(set(countries))
    )
