"""How a grade reads in the other system, and on the scales of display: derived views, never grades.

A view is made of the original alone, so that no conversion is ever converted again; it is lossy and
says what it cannot decide. What is exchanged is the original.
Source: domain 2.3, 2.4; R11, R12.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from classification.conversion import AdmiraltyGrade, to_4x4, to_admiralty
from classification.scales import (
    displayed_credibility,
    displayed_dni,
    displayed_level,
    stix_confidence,
)
from protocol.grades import AdmiraltyCredibility, Grade

ADMIRALTY = "admiralty"


class GradeView(BaseModel):
    """What an original grade is in the other system."""

    model_config = ConfigDict(frozen=True)

    scheme: Literal["europol4x4", "admiralty"]
    """Of the view, not of the original."""
    grade: str
    source_candidates: tuple[str, ...] = ()
    """Letters that a person may hold for right instead."""
    information_candidates: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    lossy: Literal[True] = True
    stix_confidence: int | None = None
    """0 to 100, of the Admiralty credibility; None where that cannot be judged."""


class ShownConfidence(BaseModel):
    """A machine's confidence in its own detection, on the scales of display; never a grade."""

    model_config = ConfigDict(frozen=True)

    stix: int
    credibility: AdmiraltyCredibility
    level: str
    dni: str


def grade_view(
    scheme: str,
    original: str,
    *,
    first_hand: bool | None = None,
    corroborated_by: frozenset[str] = frozenset(),
) -> GradeView:
    """The view of an original grade, written as its scheme writes it.

    ``corroborated_by`` are the ids of independent items on record.

    Raises:
        ValueError: it is no grade of the scheme.
    """
    if scheme == ADMIRALTY:
        given = AdmiraltyGrade.parse(original)
        derived = to_4x4(given, first_hand=first_hand, corroborated_by=corroborated_by)
        return GradeView(
            scheme="europol4x4",
            grade=str(derived.grade),
            source_candidates=derived.source_candidates,
            flags=derived.flags,
            stix_confidence=stix_confidence(given.credibility),
        )
    view = to_admiralty(Grade.parse(original), independently_corroborated=bool(corroborated_by))
    return GradeView(
        scheme="admiralty",
        grade=f"{view.source}{view.credibility}",
        source_candidates=view.source_candidates,
        information_candidates=view.credibility_candidates,
        stix_confidence=stix_confidence(view.credibility),
    )


def shown_confidence(stix: int) -> ShownConfidence:
    """A STIX confidence on every scale of display.

    Raises:
        ValueError: not 0 to 100.
    """
    return ShownConfidence(
        stix=stix,
        credibility=displayed_credibility(stix),
        level=displayed_level(stix),
        dni=displayed_dni(stix),
    )
