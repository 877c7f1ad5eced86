"""Evaluation of source and information: Europol 4x4 and the Admiralty code.

The two digits are two fields and are never added up (domain 2.1, E1).
Source: Regulation (EU) 2016/794 Art. 29; domain 2.1 to 2.3; R11, R12.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class SourceReliability(StrEnum):
    """First character of the 4x4."""

    A = "A"
    B = "B"
    C = "C"
    X = "X"


class InformationAccuracy(StrEnum):
    """Second character of the 4x4; 3 needs the ids of independent corroborating items."""

    ACCURATE = "1"
    FIRST_HAND = "2"
    CORROBORATED = "3"
    UNCORROBORATED = "4"


class Grade(BaseModel):
    """A 4x4 grade. ``X4`` is the grade of what nobody could judge, and it is a grade (R11)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceReliability = SourceReliability.X
    information: InformationAccuracy = InformationAccuracy.UNCORROBORATED

    def __str__(self) -> str:
        return f"{self.source}{self.information}"

    @classmethod
    def parse(cls, text: str) -> Grade:
        """Read ``"B2"``.

        Raises:
            ValueError: not a letter of A, B, C, X followed by a digit of 1 to 4.
        """
        if len(text) != 2:
            raise ValueError(f"a 4x4 grade is a letter and a digit such as B2, not {text!r}")
        return cls(source=SourceReliability(text[0]), information=InformationAccuracy(text[1]))

    def at_least(self, worst: Grade) -> bool:
        """Whether both characters are as good as ``worst``'s: B2 covers A1, A2, B1 and B2."""
        return self.source <= worst.source and self.information <= worst.information


UNJUDGED = Grade()
"""X4: no assessment was given and no agreement reached (domain 2.1, E4)."""


class AdmiraltySource(StrEnum):
    """Source reliability in the 6x6; ``g`` is MISP's addition for deliberate deception."""

    A = "a"
    B = "b"
    C = "c"
    D = "d"
    E = "e"
    F = "f"
    G = "g"


class AdmiraltyCredibility(StrEnum):
    """Information credibility in the 6x6, 6 = cannot be judged."""

    CONFIRMED = "1"
    PROBABLE = "2"
    POSSIBLE = "3"
    DOUBTFUL = "4"
    IMPROBABLE = "5"
    UNJUDGED = "6"
