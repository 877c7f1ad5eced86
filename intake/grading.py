"""The grade that a report has when it comes in (domain 2.1, 6.2).

The provider's own grade counts and is never changed; open sources are graded by the centre only.
Without an assessment the letter is that of the registry, and X for whoever it does not know: a name
that a report claims is no identity. The digit says whether the sender saw it himself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from intake.standing import UNRECOGNISED, FirstHandRule, Standing
from protocol.grades import Grade, InformationAccuracy
from protocol.parties import SourceGroup
from protocol.statement import Graded

REMEMBERED = 4_096
"""Evaluations kept at hand: they differ by source, its letter and what the report states."""


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


def intake_evaluation(
    report: Graded, group: SourceGroup, standing: Standing = UNRECOGNISED
) -> IntakeEvaluation:
    """The provider's grade where there is one and the source is not public, else ours.

    Ours has the letter that a person gave the source in the registry, X while nobody has or where
    the source is not recognised, and the digit 2 or 4; 1 is for people only.

    ``standing`` is that of whoever's topic the report came on.
    """
    stated = report.evaluation
    if stated is not None and group is not SourceGroup.OSINT:
        return IntakeEvaluation(
            grade=Grade(source=stated.grade.source, information=stated.grade.information),
            kind="provider",
            scheme=stated.scheme,
            original=stated.original[:40],
            by=report.reporter.name[:100],
            reason="assessed by the provider",
        )
    return _ours(standing, report.first_hand)


@lru_cache(maxsize=REMEMBERED)
def _ours(standing: Standing, stated: bool | None) -> IntakeEvaluation:
    first_hand = standing.is_first_hand(stated)
    grade = Grade(
        source=standing.letter,
        information=(
            InformationAccuracy.FIRST_HAND if first_hand else InformationAccuracy.UNCORROBORATED
        ),
    )
    return IntakeEvaluation(
        grade=grade,
        kind="intake",
        scheme="europol4x4",
        original=str(grade),
        by="intake",
        reason=f"no assessment given: {_of_the_source(standing)}, information "
        + ("first-hand" if first_hand else "not corroborated")
        + _by_rule(standing),
    )


def _of_the_source(standing: Standing) -> str:
    if standing.set_at is None:
        return "source not judged"
    return (
        f"source {standing.source_id} judged {standing.letter} by {standing.set_by} on "
        f"{standing.set_at:%Y-%m-%d}"
    )


def _by_rule(standing: Standing) -> str:
    if standing.first_hand is FirstHandRule.AS_STATED:
        return ""
    return f" (of this source {standing.first_hand})"
