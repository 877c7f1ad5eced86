"""The Initial Threat Assessment: the product of stage II on which the launch is decided.

Source: Council 15738/17, II.II(4); R11 to R17.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from classification.assessment import Assessment
from classification.findings import Officer, Text
from protocol.errors import Refused
from protocol.profile import Profile


class InitialThreatAssessment(BaseModel):
    """Steps 1 to 3 of stage II, and the situation in an officer's words."""

    model_config = ConfigDict(frozen=True)

    evaluation_system: Literal["europol4x4"] = "europol4x4"
    """The grades in force are 4x4; what a provider gave in Admiralty stays beside them (R12)."""
    assessment: Assessment
    situation: Text
    officer: Officer


def initial_threat_assessment(
    assessment: Assessment, *, situation: str, officer: str, profile: Profile
) -> InitialThreatAssessment:
    """Put the Initial Threat Assessment together; ``profile`` is the incident's own.

    The triggers (R15) are examined by ``assess`` itself and cannot be missing.

    Raises:
        Refused: a step is missing: ``no-evidence`` or ``ungraded`` (step 1, R11),
            ``other-profile`` (step 2, R13), ``no-situation`` (R17), ``no-officer`` (R1).
    """
    if assessment.evaluated + assessment.ungraded == 0:
        raise Refused(
            "no-evidence",
            "step 1 is missing (R11): no report of the incident is in force, so there is "
            "nothing to assess; add a report",
        )
    if assessment.ungraded:
        raise Refused(
            "ungraded",
            f"step 1 is missing (R11): {assessment.ungraded} report(s) are ungraded; grade them, "
            "with X4 where nobody can judge",
        )
    if (assessment.profile, assessment.matrix) != (profile.name, profile.matrix):
        raise Refused(
            "other-profile",
            f"step 2 is missing (R13): the incident is to be placed by matrix {profile.matrix} of "
            f"profile {profile.name}, not by {assessment.matrix} of {assessment.profile}; "
            "assess it again",
        )
    if not situation.strip():
        raise Refused(
            "no-situation",
            "the text on the situation is missing (R17): say what is known from the point of "
            "view of law enforcement",
        )
    if not officer.strip():
        raise Refused("no-officer", "the officer who makes the assessment is not named (R1)")
    return InitialThreatAssessment(assessment=assessment, situation=situation, officer=officer)
