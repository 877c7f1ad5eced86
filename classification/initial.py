"""The Initial Threat Assessment: the product of stage II on which the launch is decided.

Source: Council 15738/17, II.II(4); R11 to R17.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from classification.assessment import Assessment
from classification.findings import Officer
from classification.gates import GateId
from classification.graded_reports import ReportsBehind, marking_over
from classification.sensitivity import WhatWouldChange
from protocol.errors import Refused
from protocol.markings import Marking
from protocol.profile import Profile
from protocol.report import Line, clean_text

Situation = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000),
    AfterValidator(clean_text),
]
"""The situational picture in an officer's words, at most 10,000 characters."""
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"})
OWN_WORDS = Marking()
"""What the centre adds itself is at the basic protection level, H0, TLP:AMBER."""


class Completion(BaseModel):
    """Who completed the document, of what, when."""

    model_config = ConfigDict(frozen=True)

    incident_id: Line
    exercise: bool
    at: AwareDatetime
    officer: Officer
    officer_name: Line
    organisation: Line
    assessment_version: int
    """Newest version of the incident's assessment at that moment."""


class InitialThreatAssessment(BaseModel):
    """Steps 1 to 3 of stage II, the reports behind them, and the situation in an officer's words."""

    model_config = ConfigDict(frozen=True)

    template: Literal["leerp-ita/1"] = "leerp-ita/1"
    evaluation_system: Literal["europol4x4"] = "europol4x4"
    """The grades in force are 4x4; what a provider gave in Admiralty stays beside them (R12)."""
    completion: Completion
    situation: Situation
    assessment: Assessment
    cells: tuple[tuple[int, ...], ...]
    """The matrix's cells as it was placed in, rows I0 to I4, columns P0 to P4, numbers of classes."""
    what_would_change: WhatWouldChange
    """The first of the smallest sets of changes for each other result."""
    reports: ReportsBehind
    marking: Marking
    """Over the reports and the officer's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingStep:
    """What still has to be done before the document can be made."""

    code: str
    requirement: str
    step: str
    words: str
    """What is missing and what to do."""

    def __str__(self) -> str:
        return f"{self.step} is missing ({self.requirement}): {self.words}"


def missing_steps(
    assessment: Assessment,
    reports: ReportsBehind,
    *,
    situation: str,
    officer: str,
    profile: Profile,
) -> tuple[MissingStep, ...]:
    """Every step of stage II that is not done yet, in its order; none when all is done."""
    return (
        *_evaluation_missing(assessment, reports),
        *_matrix_missing(assessment, profile),
        *_triggers_missing(assessment),
        *_officer_missing(situation, officer),
    )


def initial_threat_assessment(
    assessment: Assessment,
    what_would_change: WhatWouldChange,
    reports: ReportsBehind,
    completion: Completion,
    *,
    situation: str,
    profile: Profile,
) -> InitialThreatAssessment:
    """Put the Initial Threat Assessment together; ``profile`` is the incident's own.

    Raises:
        Refused: steps are missing, and the message names each with what to do. The reason is the
            first one's: ``no-evidence``, ``ungraded``, ``not-assessed`` (step 1, R11), ``no-system``
            (R12), ``other-profile``, ``no-gates`` (step 2, R13), ``no-ground`` (step 3, R15),
            ``no-situation`` (R17), ``no-officer`` (R1).
        pydantic.ValidationError: the situation is too long or holds control characters.
    """
    missing = missing_steps(
        assessment, reports, situation=situation, officer=completion.officer, profile=profile
    )
    if missing:
        raise Refused(missing[0].code, "; ".join(str(step) for step in missing))
    return InitialThreatAssessment(
        completion=completion,
        situation=situation,
        assessment=assessment,
        cells=profile.classification.cells,
        what_would_change=what_would_change,
        reports=reports,
        marking=marking_over((reports.marking, OWN_WORDS)),
    )


def _evaluation_missing(assessment: Assessment, reports: ReportsBehind) -> Iterator[MissingStep]:
    def step(code: str, words: str, requirement: str = "R11") -> MissingStep:
        name = "step 1, evaluation of every item,"
        return MissingStep(code=code, requirement=requirement, step=name, words=words)

    if assessment.evaluated + assessment.ungraded == 0:
        yield step(
            "no-evidence",
            "no report of the incident is in force, so there is nothing to assess; add a report",
        )
    if assessment.ungraded:
        yield step(
            "ungraded",
            f"{assessment.ungraded} report(s) are ungraded; grade them with 'leerp incidents "
            "grade', with X4 where nobody can judge",
        )
    if (apart := reports.total - assessment.evaluated - assessment.ungraded) != 0:
        yield step(
            "not-assessed",
            f"the assessment and the reports differ by {abs(apart)} report(s); wait until the "
            "incident is assessed again, then try again",
        )
    if reports.without_system:
        yield step(
            "no-system",
            f"of {reports.without_system} report(s) no evaluation system is on record; grade them "
            "with 'leerp incidents grade'",
            "R12",
        )


def _matrix_missing(assessment: Assessment, profile: Profile) -> Iterator[MissingStep]:
    def step(code: str, words: str) -> MissingStep:
        name = "step 2, the threat classification matrix,"
        return MissingStep(code=code, requirement="R13, R14", step=name, words=words)

    if (assessment.profile, assessment.matrix) != (profile.name, profile.matrix):
        yield step(
            "other-profile",
            f"the incident is to be placed by matrix {profile.matrix} of profile {profile.name}, "
            f"not by {assessment.matrix} of {assessment.profile}; assess it again",
        )
    if unexamined := sorted(set(GateId) - {gate.id for gate in assessment.gates}):
        yield step("no-gates", f"not examined: {', '.join(unexamined)}; assess the incident again")


def _triggers_missing(assessment: Assessment) -> Iterator[MissingStep]:
    groundless = [trigger.id for trigger in assessment.triggers if not trigger.reason.strip()]
    if groundless:
        yield MissingStep(
            code="no-ground",
            requirement="R15",
            step="step 3, the escalation triggers,",
            words=f"{', '.join(groundless)} stands without evidence or author; state it again "
            "with 'leerp incidents state'",
        )


def _officer_missing(situation: str, officer: str) -> Iterator[MissingStep]:
    if not _can_be_seen(situation):
        yield MissingStep(
            code="no-situation",
            requirement="R17",
            step="the text on the situation",
            words="say what is known from the point of view of law enforcement, with --text or "
            "--text-file",
        )
    if not officer.strip():
        yield MissingStep(
            code="no-officer",
            requirement="R1",
            step="the officer who makes the assessment",
            words="she is not named; name her with --as",
        )


def _can_be_seen(text: str) -> bool:
    return any(unicodedata.category(c) not in _UNSEEN for c in text)
