"""Admiralty code to Europol 4x4 and back, as a derived and lossy view.

There is no official mapping between the two, so the original grade is always kept and is what
leaves the house. The tables are ours.
Source: domain 2.2, 2.3; R11, R12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict

from protocol.errors import Refused
from protocol.grades import (
    AdmiraltyCredibility,
    AdmiraltySource,
    Grade,
    InformationAccuracy,
    SourceReliability,
)
from protocol.report import Evaluation


class AdmiraltyGrade(BaseModel):
    """An original 6x6 grade, such as ``b2``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: AdmiraltySource
    credibility: AdmiraltyCredibility

    def __str__(self) -> str:
        return f"{self.source}{self.credibility}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"b2"``, in either case.

        Raises:
            ValueError: not a letter of a to g followed by a digit of 1 to 6.
        """
        try:
            return cls(
                source=AdmiraltySource(text[:1].lower()), credibility=AdmiraltyCredibility(text[1:])
            )
        except ValueError:
            raise ValueError(
                f"an Admiralty grade is a letter and a digit such as b2, not {text[:20]!r}"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedGrade:
    """A 4x4 view of an Admiralty grade; never itself converted again."""

    grade: Grade
    original: AdmiraltyGrade
    flags: tuple[str, ...] = ()
    """What the 4x4 cannot say: ``deception``, ``weak``, ``doubtful``, ``contradicted``,
    ``not-judged``."""
    source_candidates: tuple[SourceReliability, ...] = ()
    """Letters that a person may choose instead."""
    lossy: bool = True

    def evaluation(self) -> Evaluation:
        """The provider's evaluation as it is stored and disseminated: the original first."""
        return Evaluation(
            scheme="admiralty", original=str(self.original), grade=self.grade, flags=self.flags
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedAdmiralty:
    """An Admiralty view of a 4x4 grade; never itself converted again."""

    source: AdmiraltySource
    credibility: AdmiraltyCredibility
    original: Grade
    source_candidates: tuple[AdmiraltySource, ...] = ()
    credibility_candidates: tuple[AdmiraltyCredibility, ...] = ()
    lossy: bool = True


_SOURCE_TO_4X4 = {
    AdmiraltySource.A: SourceReliability.A,
    AdmiraltySource.B: SourceReliability.B,
    # "Fairly reliable" does not say on which side of "most instances" it lies: X, never a guess.
    AdmiraltySource.C: SourceReliability.X,
    AdmiraltySource.D: SourceReliability.C,
    AdmiraltySource.E: SourceReliability.C,
    AdmiraltySource.F: SourceReliability.X,
    AdmiraltySource.G: SourceReliability.C,
}
_CREDIBILITY_FLAGS: dict[AdmiraltyCredibility, tuple[str, ...]] = {
    AdmiraltyCredibility.CONFIRMED: (),
    AdmiraltyCredibility.PROBABLE: (),
    AdmiraltyCredibility.POSSIBLE: ("weak",),
    AdmiraltyCredibility.DOUBTFUL: ("doubtful",),
    AdmiraltyCredibility.IMPROBABLE: ("contradicted",),
    AdmiraltyCredibility.UNJUDGED: ("not-judged",),
}
_SOURCE_TO_ADMIRALTY = {
    SourceReliability.A: AdmiraltySource.A,
    SourceReliability.B: AdmiraltySource.B,
    SourceReliability.C: AdmiraltySource.D,
    SourceReliability.X: AdmiraltySource.F,
}
_INFORMATION_TO_ADMIRALTY = {
    InformationAccuracy.ACCURATE: AdmiraltyCredibility.CONFIRMED,
    InformationAccuracy.FIRST_HAND: AdmiraltyCredibility.POSSIBLE,
    InformationAccuracy.CORROBORATED: AdmiraltyCredibility.PROBABLE,
    InformationAccuracy.UNCORROBORATED: AdmiraltyCredibility.UNJUDGED,
}


def to_4x4(
    original: AdmiraltyGrade | DerivedAdmiralty,
    *,
    first_hand: bool | None = None,
    corroborated_by: frozenset[str] = frozenset(),
) -> DerivedGrade:
    """Derive the 4x4 view of an original Admiralty grade.

    ``first_hand`` unknown counts as no. ``corroborated_by`` are ids of recorded items of
    independent origin (domain 2.1, E7).

    Raises:
        Refused: ``derived-grade``, the grade is itself a conversion.

    Source: domain 2.3.
    """
    if isinstance(original, DerivedAdmiralty):
        raise _derived(str(original.original))
    deception = ("deception",) if original.source is AdmiraltySource.G else ()
    undecided = original.source is AdmiraltySource.C
    return DerivedGrade(
        grade=Grade(
            source=_SOURCE_TO_4X4[original.source],
            information=_accuracy(original.credibility, first_hand is True, bool(corroborated_by)),
        ),
        original=original,
        flags=deception + _CREDIBILITY_FLAGS[original.credibility],
        source_candidates=(SourceReliability.B, SourceReliability.C) if undecided else (),
    )


def to_admiralty(
    original: Grade | DerivedGrade, *, independently_corroborated: bool = False
) -> DerivedAdmiralty:
    """Derive the Admiralty view of an original 4x4 grade.

    ``independently_corroborated`` says that the independence of the corroboration of a ``3`` is
    on record.

    Raises:
        Refused: ``derived-grade``, the grade is itself a conversion.

    Source: domain 2.3.
    """
    if isinstance(original, DerivedGrade):
        raise _derived(str(original.original))
    credibility = _INFORMATION_TO_ADMIRALTY[original.information]
    if independently_corroborated and original.information is InformationAccuracy.CORROBORATED:
        credibility = AdmiraltyCredibility.CONFIRMED
    unreliable = original.source is SourceReliability.C
    first_hand = original.information is InformationAccuracy.FIRST_HAND
    return DerivedAdmiralty(
        source=_SOURCE_TO_ADMIRALTY[original.source],
        credibility=credibility,
        original=original,
        source_candidates=(AdmiraltySource.D, AdmiraltySource.E) if unreliable else (),
        credibility_candidates=(AdmiraltyCredibility.PROBABLE,) if first_hand else (),
    )


def _accuracy(
    credibility: AdmiraltyCredibility, first_hand: bool, corroborated: bool
) -> InformationAccuracy:
    match credibility:
        case AdmiraltyCredibility.CONFIRMED:
            return InformationAccuracy.ACCURATE if first_hand else InformationAccuracy.CORROBORATED
        case AdmiraltyCredibility.PROBABLE if not first_hand and corroborated:
            return InformationAccuracy.CORROBORATED
        case AdmiraltyCredibility.PROBABLE | AdmiraltyCredibility.POSSIBLE if first_hand:
            return InformationAccuracy.FIRST_HAND
        case _:
            # First-hand but doubtful is formally a 2; sending 2 would hide the doubt.
            return InformationAccuracy.UNCORROBORATED


def _derived(original: str) -> Refused:
    return Refused(
        "derived-grade",
        f"this grade is itself a conversion of {original}; convert from the original only",
    )
