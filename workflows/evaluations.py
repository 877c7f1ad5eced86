"""Rows of the history of grades, as officers write them, and the grade in force that follows.

Every evaluation is kept; the newest that is no proposal holds. Source: domain 2.1; R11, R12.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select, update

from infra import casefile
from infra.tables import evaluation, incident, report
from protocol.grades import Grade

CHUNK = 500
"""Values in one condition, and reports in one transaction of a bulk act."""
SCHEME = "europol4x4"
NO_REASON = "a grade needs its reason: say why with --reason"


class Kind(StrEnum):
    """Who stands behind an evaluation that an officer writes."""

    CENTRE = "centre"
    PROPOSAL = "proposal"
    """The centre's differing view, without effect until the provider agrees."""
    AGREED = "agreed"
    """A proposal that the provider agreed to."""
    LETTER = "letter"
    """A new letter for the source; the digit stays in the care of intake and corroboration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvaluation:
    """One row to be."""

    report_id: str
    kind: Kind
    grade: Grade
    corroborated_by: tuple[str, ...] = ()


def add_evaluations(
    connection: Connection, made: Sequence[NewEvaluation], *, by: str, reason: str
) -> None:
    """Add the rows, and put in force what takes effect."""
    now = datetime.now(UTC)
    connection.execute(
        insert(evaluation),
        [
            {
                "report_id": each.report_id,
                "kind": each.kind,
                "scheme": SCHEME,
                "original": str(each.grade),
                "source_grade": each.grade.source,
                "information_grade": each.grade.information,
                "by": by,
                "at": now,
                "reason": reason,
                "corroborated_by": list(each.corroborated_by) or None,
            }
            for each in made
        ],
    )
    by_grade: dict[Grade, list[str]] = {}
    for each in made:
        if each.kind is not Kind.PROPOSAL:
            by_grade.setdefault(each.grade, []).append(each.report_id)
    for grade, ids in by_grade.items():
        for some in chunks(ids):
            connection.execute(
                update(report)
                .where(report.c.id.in_(some))
                .values(source_grade=grade.source, information_grade=grade.information)
            )


def newest_of_kind(connection: Connection, report_id: str, kind: Kind) -> int | None:
    """Id of the report's newest evaluation of a kind that officers write."""
    found: int | None = connection.scalar(
        select(func.max(evaluation.c.id)).where(
            evaluation.c.report_id == report_id, evaluation.c.kind == kind
        )
    )
    return found


def tell_detected(connection: Connection, incident_ids: Collection[str]) -> None:
    """Have the incidents among these that are detected assessed again: one word for each."""
    for some in chunks(sorted(incident_ids)):
        detected = connection.scalars(
            select(incident.c.id).where(incident.c.id.in_(some), incident.c.status == "detected")
        ).all()
        for incident_id in detected:
            casefile.tell(connection, "incident", incident_id)


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Parts of ``values``, each of a size that every database takes in one condition."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
