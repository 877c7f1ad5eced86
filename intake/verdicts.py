"""Writes what corroboration found: the digit in force, its history with the ids, and who must know.

A grade that a provider or a person gave is never touched (domain 2.1, E3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from infra import audit, casefile
from infra.tables import evaluation, incident, report
from infra.tables_corroboration import borne_out, witness
from intake.witnesses import among
from protocol.grades import Grade, InformationAccuracy, SourceReliability

KIND = "corroboration"
ACTOR = "corroboration"
OURS = ("intake", KIND, "proposal", "letter")
"""Kinds of evaluation that leave the digit in force to us: a proposal never takes effect, and a new
letter says nothing of the digit."""
DIGIT = {True: InformationAccuracy.CORROBORATED, False: InformationAccuracy.UNCORROBORATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """By whom a report is borne out: running numbers and ids, none where nobody does."""

    seq: int
    by: tuple[tuple[int, str], ...] = ()

    @property
    def ids(self) -> list[str]:
        return sorted(report_id for _, report_id in self.by)


def write_verdicts(connection: Connection, verdicts: Sequence[Verdict]) -> None:
    """Put the digits in force, each with an evaluation that says why, and tell the workflows.

    Reports whose grade is not ours to change are passed over. Leaves one audit row where any grade
    changed.
    """
    if not verdicts:
        return
    ours = _ours(connection, [each.seq for each in verdicts])
    wanted = {each.seq: each for each in verdicts if each.seq in ours}
    now = datetime.now(UTC)
    if wanted:
        rows = [_evaluation(ours[number], each, now) for number, each in wanted.items()]
        connection.execute(insert(evaluation), rows)
    raised = _put_in_force(connection, wanted, ours, corroborated=True)
    fallen = _put_in_force(connection, wanted, ours, corroborated=False)
    _remember(connection, verdicts, wanted)
    changed = [ours[number] for number in (*raised, *fallen)]
    if changed:
        audit.append(
            connection,
            "grades_corroborated",
            actor=ACTOR,
            subject="intake",
            raised=[ours[number].id for number in raised],
            fallen=[ours[number].id for number in fallen],
        )
        _tell(connection, {row.incident_id for row in changed})


def _ours(connection: Connection, numbers: Sequence[int]) -> dict[int, Any]:
    """Rows of the reports whose grade is still intake's; locked, so that it stays so."""
    found: dict[int, Any] = {}
    for condition in among(report.c.seq, numbers):
        rows = connection.execute(
            select(
                report.c.seq,
                report.c.id,
                report.c.incident_id,
                report.c.source_grade,
                report.c.information_grade,
            )
            .where(condition, ~report.c.provider_graded)
            .order_by(report.c.seq)
            .with_for_update()
        )
        found |= {row.seq: row for row in rows}
    taken: set[str] = set()
    for condition in among(evaluation.c.report_id, [row.id for row in found.values()]):
        taken |= set(
            connection.scalars(
                select(evaluation.c.report_id).where(condition, evaluation.c.kind.not_in(OURS))
            )
        )
    return {
        number: row
        for number, row in found.items()
        if row.id not in taken and row.information_grade in DIGIT.values()
    }


def _evaluation(row: Any, verdict: Verdict, at: datetime) -> dict[str, Any]:
    grade = Grade(source=SourceReliability(row.source_grade), information=DIGIT[bool(verdict.by)])
    if verdict.by:
        reason = (
            f"corroborated by {len(verdict.by)} independent report(s): {', '.join(verdict.ids)};"
            " they name the same indicators or victims in the same time, come from other sources"
            " and pass nothing on from each other"
        )
    else:
        reason = (
            "corroborated no longer: the report or those that bore it out were withdrawn, and no"
            " other independent one does"
        )
    return {
        "report_id": row.id,
        "kind": KIND,
        "scheme": "europol4x4",
        "original": str(grade),
        "source_grade": grade.source,
        "information_grade": grade.information,
        "by": ACTOR,
        "at": at,
        "reason": reason,
        "corroborated_by": verdict.ids or None,
    }


def _put_in_force(
    connection: Connection, wanted: dict[int, Verdict], ours: dict[int, Any], *, corroborated: bool
) -> list[int]:
    """Give the digit to those that do not have it; return their numbers."""
    digit = DIGIT[corroborated]
    numbers = [
        number
        for number, verdict in wanted.items()
        if bool(verdict.by) is corroborated and ours[number].information_grade != digit
    ]
    for condition in among(report.c.seq, numbers):
        connection.execute(update(report).where(condition).values(information_grade=digit))
    return numbers


def _remember(
    connection: Connection, verdicts: Sequence[Verdict], wanted: dict[int, Verdict]
) -> None:
    """Keep who bears out whom, and who waits for somebody to."""
    for condition in among(borne_out.c.report_seq, [each.seq for each in verdicts]):
        connection.execute(delete(borne_out).where(condition))
    pairs = [
        {"report_seq": number, "by_seq": by} for number, each in wanted.items() for by, _ in each.by
    ]
    if pairs:
        connection.execute(insert(borne_out), pairs)
    waiting = {number for number, each in wanted.items() if not each.by}
    _set_awaits(connection, waiting, awaits=True)
    _set_awaits(connection, {each.seq for each in verdicts} - waiting, awaits=False)


def _set_awaits(connection: Connection, numbers: Iterable[int], *, awaits: bool) -> None:
    for condition in among(witness.c.report_seq, list(numbers)):
        connection.execute(update(witness).where(condition).values(awaits=awaits))


def _tell(connection: Connection, incident_ids: Iterable[str]) -> None:
    for condition in among(incident.c.id, list(incident_ids)):
        detected = connection.scalars(
            select(incident.c.id).where(condition, incident.c.status == "detected")
        ).all()
        for incident_id in detected:
            casefile.tell(connection, "incident", incident_id)
