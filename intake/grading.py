"""The grade that a report has when it comes in (domain 2.1, 6.2).

The provider's own grade counts and is never changed; open sources are graded by the centre only;
without an assessment the source is X, and the digit says whether the sender saw it himself.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.grades import Grade, InformationAccuracy
from protocol.parties import SourceGroup
from protocol.report import ReportContent


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeEvaluation:
    """A first grade with its origin."""

    grade: Grade
    kind: str
    """``provider`` or ``intake``."""
    scheme: str
    original: str
    by: str
    reason: str


def intake_evaluation(report: ReportContent, group: SourceGroup) -> IntakeEvaluation:
    """The provider's grade where there is one and the source is not public, else X with 2 or 4."""
    if report.evaluation is not None and group is not SourceGroup.OSINT:
        return IntakeEvaluation(
            grade=report.evaluation.grade,
            kind="provider",
            scheme=report.evaluation.scheme,
            original=report.evaluation.original[:40],
            by=report.reporter.name[:100],
            reason="assessed by the provider",
        )
    digit = (
        InformationAccuracy.FIRST_HAND if report.first_hand else InformationAccuracy.UNCORROBORATED
    )
    grade = Grade(information=digit)
    return IntakeEvaluation(
        grade=grade,
        kind="intake",
        scheme="europol4x4",
        original=str(grade),
        by="intake",
        reason="no assessment given: source not judged, "
        + ("information first-hand" if report.first_hand else "information not corroborated"),
    )
