"""The gates G1 to G4 that an incident passes before a launch is recommended.

Source: domain 3.4; R8, R10, R11.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from classification.claims import Claims, Picture
from classification.findings import Findings, Override
from classification.matrix import Placement
from protocol.countries import EU_NEXUS
from protocol.profile import Profile
from protocol.report import Cause


class GateId(StrEnum):
    """G1 nature of the cause, G2 EU nexus, G3 gradedness, G4 confidence."""

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"
    G4 = "G4"


class GateResult(BaseModel):
    """Whether the incident passes, and why or why not."""

    model_config = ConfigDict(frozen=True)

    id: GateId
    passed: bool
    reason: str
    overridden: bool = False
    """Whether it is passed only because an officer set it aside."""


def excluding_causes(profile: Profile) -> frozenset[Cause]:
    """Causes that end the protocol when they are clear.

    A third party is never one by itself: look at the third party's own cause.
    """
    human = {Cause.HUMAN_ERROR} if profile.exclude_human_error else set()
    return frozenset({Cause.TECHNICAL_FAILURE, Cause.NATURAL} | human)


def cause_gate(claims: Claims, findings: Findings, profile: Profile) -> GateResult:
    """G1: fails only where a cause that is not criminal is clear.

    Clear needs all of: one good report of the operator or authority in charge or two independent
    reports that call this cause clear; no credible report that says malicious; a named officer
    who confirms this very cause.
    """
    confirmed = findings.cause
    if confirmed is None:
        return _in_scope("no officer has confirmed another cause, so a crime is presumed")
    cause = confirmed.cause
    if cause in (Cause.MALICIOUS, Cause.PRESUMED_MALICIOUS):
        return _in_scope(f"{confirmed.officer} confirms the cause as {cause}")
    if cause not in excluding_causes(profile):
        return _in_scope(f"{cause} is not a cause that profile {profile.name} excludes")
    rules = profile.classification
    in_charge, stated = claims.causes_in_charge.get(cause), claims.causes.get(cause)
    if in_charge is not None and in_charge.alone:
        ground = f"the operator or authority in charge states it, {in_charge.reports()}"
    elif stated is not None and stated.paired:
        ground = f"independent reports state it, {stated.reports()}"
    else:
        return _in_scope(
            f"{cause} is confirmed by {confirmed.officer} but not clear: it needs one report of "
            f"{rules.launch_grade_alone} or better from the operator or authority in charge, or "
            f"two independent ones of {rules.launch_grade_pair} or better, that call it clear"
        )
    malicious = claims.causes.get(Cause.MALICIOUS)
    if malicious is not None and malicious.credible:
        return _in_scope(f"{cause} is not clear: malicious, say {malicious.reports()}")
    return GateResult(
        id=GateId.G1,
        passed=False,
        reason=f"{cause} is clear: {ground}, and {confirmed.officer} confirms it: {confirmed.text}",
    )


def nexus_gate(picture: Picture, findings: Findings, profile: Profile) -> GateResult:
    """G2: at least one state of the EU or the EEA is affected, or probably so."""
    probable = profile.classification.probable
    likely = findings.countries_at_least(probable) & EU_NEXUS
    affected = picture.member_states
    if affected:
        reason = f"affected in the EU or EEA: {', '.join(sorted(affected))}"
    elif likely:
        reason = f"probably affected in the EU or EEA: {', '.join(sorted(likely))}"
    else:
        reason = f"no EU or EEA state is affected, nor with {probable:.0%} or more probably so"
    return GateResult(id=GateId.G2, passed=bool(affected or likely), reason=reason)


def graded_gate(claims: Claims) -> GateResult:
    """G3: every report in force is graded; X4 is a grade (R11)."""
    if claims.ungraded:
        reason = f"{claims.ungraded} report(s) are ungraded; grade them, with X4 if need be"
    else:
        reason = f"all {claims.items} report(s) in force are graded"
    return GateResult(id=GateId.G3, passed=not claims.ungraded, reason=reason)


def confidence_gate(
    claimed: Placement,
    confirmed: Placement,
    *,
    confirmed_wants_launch: bool,
    override: Override | None,
) -> GateResult:
    """G4: what is confirmed carries the launch by itself.

    It does when the confirmed claims reach both levels, or when the decision rule over the
    confirmed claims alone asks for a launch; otherwise one anonymous report that paints the
    attack blacker would hold up a launch that is well founded without it.
    """
    levels = f"confirmed claims reach {confirmed.impact} and {confirmed.reach}"
    if confirmed.impact >= claimed.impact and confirmed.reach >= claimed.reach:
        return GateResult(id=GateId.G4, passed=True, reason=levels)
    short = f"{levels} of {claimed.impact} and {claimed.reach} claimed"
    if confirmed_wants_launch:
        reason = f"{short}, and by themselves, as {confirmed.threat_class}, call for a launch"
        return GateResult(id=GateId.G4, passed=True, reason=reason)
    if override is not None:
        reason = f"{short}; set aside by {override.officer}: {override.reason}"
        return GateResult(id=GateId.G4, passed=True, reason=reason, overridden=True)
    return GateResult(id=GateId.G4, passed=False, reason=f"only {short}; verify urgently")


def _in_scope(reason: str) -> GateResult:
    return GateResult(id=GateId.G1, passed=True, reason=reason)
