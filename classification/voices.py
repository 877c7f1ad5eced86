"""Who says something: reports with their grades, the best first, and whether they confirm it.

Source: domain 3.4 (G4); R11, R13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest

from pydantic import BaseModel, ConfigDict

from classification.evidence import Evidence
from protocol.grades import Grade
from protocol.profile import ClassificationRules

LISTED = 10
"""So many reports are named; the rest is a number."""
UNGRADED = "ungraded"


class Voice(BaseModel):
    """One report with its grade in force."""

    model_config = ConfigDict(frozen=True)

    report: str
    grade: str

    def __str__(self) -> str:
        return f"{self.report} ({self.grade})"


class Voices(BaseModel):
    """The best-graded reports that say the same, how many they are, and of which grades."""

    model_config = ConfigDict(frozen=True)

    best: tuple[Voice, ...] = ()
    total: int = 0
    by_grade: dict[str, int] = {}
    """All of them, grade to number, in the order of grades."""
    origins: int = 0
    """How many are independent of each other."""
    confirmed: bool = False
    """By one item good enough alone, or by two of independent origin (G4)."""

    def __str__(self) -> str:
        more = f" and {self.total - len(self.best)} more" if self.total > len(self.best) else ""
        return f"{', '.join(map(str, self.best))}{more}"


NOBODY = Voices()


def voices(items: Iterable[Evidence], rules: ClassificationRules) -> Voices:
    """What ``items`` are as voices; their order makes no difference."""
    found = list(items)
    if not found:
        return NOBODY
    best = nsmallest(LISTED, found, key=lambda item: (place(item.grade), item.report_id))
    grades = Counter(_text(item.grade) for item in found)
    return Voices(
        best=tuple(Voice(report=i.report_id, grade=_text(i.grade)) for i in best),
        total=len(found),
        by_grade={grade: grades[grade] for grade in sorted(grades)},
        origins=len({item.origin for item in found}),
        confirmed=confirmed(found, rules),
    )


def confirmed(items: Iterable[Evidence], rules: ClassificationRules) -> bool:
    """Whether these items that say the same confirm it."""
    return confirming(items, rules) is not None


def confirming(items: Iterable[Evidence], rules: ClassificationRules) -> Evidence | None:
    """The first item with which it and those before it confirm what they say; None if they do not."""
    origins = set()
    for item in items:
        if item.grade is None:
            continue
        if item.grade.at_least(rules.launch_grade_alone):
            return item
        if item.grade.at_least(rules.launch_grade_pair):
            origins.add(item.origin)
            if len(origins) > 1:
                return item
    return None


def place(grade: Grade | None) -> tuple[str, str, str]:
    """Where a grade stands among others when they are listed, the best first; none comes last.

    The worse of the two characters counts first, as for a confirmation. It is an order of reading and
    no judgement: X and 4 say that nobody could judge, not that it is bad (domain 2.1, E6).
    """
    if grade is None:
        return ("~", "~", "~")
    information = "ABCX"[int(grade.information) - 1]
    return (max(grade.source, information), grade.source, grade.information)


def _text(grade: Grade | None) -> str:
    return UNGRADED if grade is None else str(grade)
