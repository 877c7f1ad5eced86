"""The centre's views that differ from a provider's grade, and what the provider said to them.

Source: Regulation (EU) 2016/794 Art. 29(3); domain 2.1 (E2, E3); R11.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select

from infra.originals import documents
from infra.tables import evaluation, report
from infra.tables_grading import provider_answer
from workflows.evaluations import Kind


class Answer(StrEnum):
    """What a provider says to a proposal."""

    AGREED = "agreed"
    REFUSED = "refused"


class Way(StrEnum):
    """The channel over which the provider said so (R1)."""

    SIENA = "siena"
    MAIL = "mail"
    PHONE = "phone"
    MEETING = "meeting"


class State(StrEnum):
    """What became of a proposal."""

    WAITING = "waiting"
    AGREED = "agreed"
    REFUSED = "refused"
    REPLACED = "replaced"
    """A newer one was made before the provider answered."""


def proposals_of(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    """Every proposal for a report, the oldest first, with its state and answer."""
    return _proposals(connection, report_id)


def waiting_proposals(connection: Connection) -> list[dict[str, Any]]:
    """The proposals that wait for their providers, the oldest first."""
    return [each for each in _proposals(connection) if each["state"] is State.WAITING]


def _proposals(connection: Connection, report_id: str | None = None) -> list[dict[str, Any]]:
    query = (
        select(
            evaluation,
            provider_answer.c.answer,
            provider_answer.c.person,
            provider_answer.c.way,
            provider_answer.c.answered_at,
            provider_answer.c.by.label("noted_by"),
            provider_answer.c.reason.label("noted"),
            report.c.incident_id,
            report.c.principal,
            report.c.seq,
            report.c.source_grade.label("letter_in_force"),
            report.c.information_grade.label("digit_in_force"),
        )
        .join(report, report.c.id == evaluation.c.report_id)
        .outerjoin(provider_answer, provider_answer.c.proposal == evaluation.c.id)
        .where(evaluation.c.kind == Kind.PROPOSAL)
        .order_by(evaluation.c.id)
    )
    if report_id is not None:
        query = query.where(evaluation.c.report_id == report_id)
    rows = connection.execute(query).all()
    newest = {row.report_id: row.id for row in rows}
    said = dict(documents(connection, [row.seq for row in rows]))
    return [
        _row(row, said[row.seq]["reporter"]["name"], is_newest=newest[row.report_id] == row.id)
        for row in rows
    ]


def _row(row: Any, reporter: str, *, is_newest: bool) -> dict[str, Any]:
    return {
        "report": row.report_id,
        "incident": row.incident_id,
        "source": row.principal,
        "reporter": reporter,
        "in_force": f"{row.letter_in_force}{row.digit_in_force}",
        "proposed": f"{row.source_grade}{row.information_grade}",
        "by": row.by,
        "at": row.at.isoformat(),
        "reason": row.reason,
        "state": _state(row, is_newest=is_newest),
        "answer": {
            "answer": row.answer,
            "person": row.person,
            "way": row.way,
            "answered_at": row.answered_at.isoformat(),
            "noted_by": row.noted_by,
            "reason": row.noted,
        }
        if row.answer
        else None,
    }


def _state(row: Any, *, is_newest: bool) -> State:
    if row.answer:
        return State(row.answer)
    return State.WAITING if is_newest else State.REPLACED
