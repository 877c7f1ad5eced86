"""How the reports of an incident stood when one of its assessments was made.

Nothing is copied for it: an assessment keeps the newest rows that it read, and the histories of links,
grades and withdrawals tell the rest. Source: issue 6, item 8; R11, R13.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select

from activities.standing import taken_back
from classification.comparison import Standing
from infra import casefile
from infra.originals import FIRST_PLACES, ORIGINALS
from infra.tables import evaluation, link, report
from infra.tables_reassessment import assessment_basis
from protocol.errors import NotFound

PROPOSAL = "proposal"
"""Kind of evaluation that is never in force by itself."""
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The newest row of each history that an assessment read."""

    link_id: int
    evaluation_id: int
    report_seq: int
    findings: int


def read_basis(connection: Connection, incident_id: str) -> Basis:
    """The basis of what is read in this transaction."""
    findings = casefile.find_artefact(connection, incident_id, "findings")
    return Basis(
        link_id=connection.scalar(select(func.max(link.c.id))) or 0,
        evaluation_id=connection.scalar(select(func.max(evaluation.c.id))) or 0,
        report_seq=connection.scalar(select(func.max(report.c.seq))) or 0,
        findings=findings.version if findings else 0,
    )


def save_basis(connection: Connection, incident_id: str, version: int, basis: Basis) -> None:
    """Keep the basis beside a version of the assessment."""
    connection.execute(
        insert(assessment_basis).values(
            incident_id=incident_id,
            version=version,
            link_id=basis.link_id,
            evaluation_id=basis.evaluation_id,
            report_seq=basis.report_seq,
            findings=basis.findings,
        )
    )


def load_basis(connection: Connection, incident_id: str, version: int) -> Basis:
    """The basis of a version.

    Raises:
        NotFound: there is no such version of the assessment.
    """
    row = connection.execute(
        select(
            assessment_basis.c.link_id,
            assessment_basis.c.evaluation_id,
            assessment_basis.c.report_seq,
            assessment_basis.c.findings,
        ).where(
            assessment_basis.c.incident_id == incident_id, assessment_basis.c.version == version
        )
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"{incident_id} has no assessment {version}: see 'leerp assessment list {incident_id}'"
        )
    return Basis(**row._mapping)  # noqa: SLF001 (documented accessor of Row)


def standings_at(connection: Connection, incident_id: str, basis: Basis) -> dict[str, Standing]:
    """The reports of the incident as an assessment on this basis saw them, by id."""
    found: dict[str, Standing] = {}
    members = _members(connection, incident_id, basis)
    for start in range(0, len(members), CHUNK):
        found |= _standings(connection, members[start : start + CHUNK], basis)
    return found


def _members(connection: Connection, incident_id: str, basis: Basis) -> list[str]:
    """Reports that were in this incident by then, by their newest link or, unmoved, by their first."""
    ever = select(link.c.report_id).where(link.c.incident_id == incident_id)
    newest = (
        select(func.max(link.c.id).label("id"))
        .where(link.c.id <= basis.link_id, link.c.report_id.in_(ever))
        .group_by(link.c.report_id)
        .subquery()
    )
    moved_here = connection.scalars(
        select(link.c.report_id)
        .join(newest, newest.c.id == link.c.id)
        .where(link.c.incident_id == incident_id)
    )
    return sorted({*moved_here, *_unmoved(connection, incident_id, basis)})


def _unmoved(connection: Connection, incident_id: str, basis: Basis) -> Iterator[str]:
    """Reports that had come to this incident by then, and had not been moved yet."""
    stored = report.c.seq <= basis.report_seq
    ever_moved = exists().where(link.c.report_id == report.c.id)
    still_here = report.c.incident_id == incident_id
    yield from connection.scalars(select(report.c.id).where(stored, still_here, ~ever_moved))
    moved_by_then = ever_moved.where(link.c.id <= basis.link_id)
    moved_since = connection.execute(
        select(report.c.seq, report.c.id).where(stored, ever_moved, ~moved_by_then)
    )
    ids = {row.seq: row.id for row in moved_since}
    for seq, first in FIRST_PLACES.read(connection, ids):
        if first.incident_id == incident_id:
            yield ids[seq]


def _standings(connection: Connection, ids: list[str], basis: Basis) -> dict[str, Standing]:
    newest = (
        select(evaluation.c.report_id, func.max(evaluation.c.id).label("id"))
        .where(
            evaluation.c.report_id.in_(ids),
            evaluation.c.id <= basis.evaluation_id,
            evaluation.c.kind != PROPOSAL,
        )
        .group_by(evaluation.c.report_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            report.c.seq,
            report.c.id,
            report.c.evidence,
            evaluation.c.source_grade,
            evaluation.c.information_grade,
        )
        .outerjoin(newest, newest.c.report_id == report.c.id)
        .outerjoin(evaluation, evaluation.c.id == newest.c.id)
        .where(report.c.id.in_(ids))
    ).all()
    firsts = dict(ORIGINALS.read(connection, [row.seq for row in rows if not row.source_grade]))
    gone = _withdrawn(connection, ids, basis)
    return {
        row.id: Standing(
            grade=_grade(firsts.get(row.seq, row)),
            withdrawn=row.id in gone or bool(row.evidence.get("retracted")),
        )
        for row in rows
    }


def _grade(graded: Any) -> str:
    return f"{graded.source_grade}{graded.information_grade}"


def _withdrawn(connection: Connection, ids: list[str], basis: Basis) -> set[str]:
    """Of these reports, those that another one had taken back by then."""
    gone = taken_back(connection, report.c.id.in_(ids))
    by = {entry.by for entries in gone.values() for entry in entries}
    known = set(
        connection.scalars(
            select(report.c.id).where(report.c.id.in_(by), report.c.seq <= basis.report_seq)
        )
    )
    return {name for name, entries in gone.items() if any(e.by in known for e in entries)}
