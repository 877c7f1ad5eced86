"""The graded reports behind an Initial Threat Assessment: counted, listed, and marked.

A source that may not be named is listed with its grade and marking only; everything else of its
report stays out of the document, its id among them, since an id tells the source group.
Source: domain 2.1, 4.1 to 4.4; R11, R12, R31, R32.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from protocol.grades import Grade
from protocol.markings import Marking, aggregate
from protocol.parties import SourceGroup
from protocol.report import Line

MOST_LISTED = 200
"""So many reports are listed, those that the assessment names among them; all are counted."""
SUPPRESSED = "source suppressed"
TITLE_LENGTH = 200
_REPORT_ID = re.compile(r"\b[1-6]-[0-9A-Za-z]{1,38}\b")
Part = TypeVar("Part", bound=BaseModel)
"""Of the document, such as the assessment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedReport:
    """A report in force as it is counted."""

    report_id: str
    grade: Grade | None
    marking: Marking
    system: str
    """Evaluation system of the grade in force (R12); empty where none is on record."""
    suppressed: str = ""
    """Why its source may not be named; empty where it may."""


class NamedReport(BaseModel):
    """What the document tells of a report whose source may be named."""

    model_config = ConfigDict(frozen=True)

    report_id: Line
    source: Line
    group: SourceGroup
    title: Line
    received_at: AwareDatetime
    evaluated_by: Line
    """Who the grade in force comes from: provider, centre, intake or corroboration."""
    evaluation: Line
    """As it was given, with its system: ``admiralty b2``."""


class ListedReport(BaseModel):
    """One line of the list: a report by name, or its grade and why no more is said."""

    model_config = ConfigDict(frozen=True)

    number: int
    grade: Grade
    marking: Marking
    named: NamedReport | None = None
    suppressed: str = ""

    @model_validator(mode="after")
    def _named_or_suppressed(self) -> Self:
        if (self.named is None) is not bool(self.suppressed):
            raise ValueError("a listed report is either named, or suppressed for a reason")
        return self

    @property
    def reference(self) -> str:
        """How the document's own sentences speak of it."""
        return f"no. {self.number}" + (f" ({SUPPRESSED})" if self.suppressed else "")


class GradeCount(BaseModel):
    """How many reports in force have a grade."""

    model_config = ConfigDict(frozen=True)

    grade: Grade
    reports: int


class ReportsBehind(BaseModel):
    """What the document says of the reports that it was made from."""

    model_config = ConfigDict(frozen=True)

    total: int
    """Reports in force."""
    suppressed: int
    """Those of them whose source may not be named, listed or not."""
    without_system: int
    """Those of them for which no evaluation system is on record (R12)."""
    grades: tuple[GradeCount, ...]
    """Every grade that occurs, best first."""
    listed: tuple[ListedReport, ...]
    marking: Marking
    """Over all of them, listed or not."""


def reports_named(parts: Iterable[BaseModel], known: Collection[str]) -> frozenset[str]:
    """The reports among ``known`` that these parts name, in a list or in a sentence."""
    named = (_REPORT_ID.findall(part.model_dump_json()) for part in parts)
    return frozenset(known).intersection(chain.from_iterable(named))


def reports_to_list(
    reports: Sequence[GradedReport], named: frozenset[str]
) -> tuple[GradedReport, ...]:
    """Up to ``MOST_LISTED``, best grade first; whatever is ``named`` is always among them."""
    graded = sorted(
        (r for r in reports if r.grade is not None), key=lambda r: (str(r.grade), r.report_id)
    )
    room = max(0, MOST_LISTED - sum(r.report_id in named for r in graded))
    others = [r.report_id for r in graded if r.report_id not in named][:room]
    kept = named.union(others)
    return tuple(r for r in graded if r.report_id in kept)


def reports_behind(
    reports: Sequence[GradedReport],
    listed: Iterable[GradedReport],
    told: Mapping[str, NamedReport],
) -> ReportsBehind:
    """Count all ``reports`` and write the list; ``told`` has those whose source may be named.

    Raises:
        KeyError: a report is to be listed by name and ``told`` does not have it.
    """
    counts = Counter(str(r.grade) for r in reports if r.grade is not None)
    return ReportsBehind(
        total=len(reports),
        suppressed=sum(bool(r.suppressed) for r in reports),
        without_system=sum(not r.system for r in reports),
        grades=tuple(
            GradeCount(grade=Grade.parse(grade), reports=counts[grade]) for grade in sorted(counts)
        ),
        listed=tuple(
            ListedReport(
                number=number,
                grade=r.grade,
                marking=r.marking,
                named=None if r.suppressed else told[r.report_id],
                suppressed=r.suppressed,
            )
            for number, r in enumerate(listed, 1)
            if r.grade is not None
        ),
        marking=marking_over(r.marking for r in reports),
    )


def marking_over(parts: Iterable[Marking]) -> Marking:
    """The strictest of each part; the texts of H3 each once. The order of ``parts`` is no matter."""
    distinct = set(parts)
    texts = sorted({part.handling_text for part in distinct if part.handling_text})
    # The texts are put together once, at the end: combined pairwise they would repeat themselves.
    bare = {
        part.model_copy(update={"handling_text": "H3" if part.handling_text else ""})
        for part in distinct
    }
    return aggregate(list(bare)).model_copy(update={"handling_text": "; ".join(texts)})


def without_suppressed(part: Part, references: Mapping[str, str]) -> Part:
    """The part with other words for the report ids that ``references`` has."""
    return part.model_validate(_reworded(part.model_dump(mode="json"), references))


def reworded(text: str, references: Mapping[str, str]) -> str:
    """``text`` with other words for the report ids that ``references`` has."""
    return _REPORT_ID.sub(lambda found: references.get(found[0], found[0]), text)


def _reworded(value: Any, references: Mapping[str, str]) -> Any:
    match value:
        case str():
            return reworded(value, references)
        case list():
            return [_reworded(each, references) for each in value]
        case dict():
            return {name: _reworded(each, references) for name, each in value.items()}
        case _:
            return value
