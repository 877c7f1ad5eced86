"""What people look at of reassessment: versions, changes of the recommendation, tasks.

Nothing here changes anything. Rows are plain JSON-able dicts, as in ``workflows.overview``.
Source: issue 6, item 8; domain 3.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, func, select

from activities.basis import load_basis, standings_at
from classification.assessment import Assessment
from classification.comparison import Comparison, compare, report_changes
from infra import casefile, taskbook
from infra.casefile import Artefact
from infra.tables import artefact
from infra.tables_reassessment import task
from infra.taskbook import Task
from protocol.errors import NotFound


def versions(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """Every version of the assessment, oldest first: class, recommendation and levels."""
    document = artefact.c.document
    rows = connection.execute(
        select(
            artefact.c.version,
            artefact.c.at,
            *(
                document[name].as_string().label(name)
                for name in ("threat_class", "impact", "reach", "recommendation")
            ),
        )
        .where(artefact.c.incident_id == incident_id, artefact.c.kind == "assessment")
        .order_by(artefact.c.version)
    )
    return [
        {
            "version": row.version,
            "at": row.at.isoformat(),
            "class": row.threat_class,
            "impact": row.impact,
            "reach": row.reach,
            "recommendation": row.recommendation,
        }
        for row in rows
    ]


def recommendation_changes(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """Each time that the recommendation became another one, oldest first."""
    return [
        {
            "at": after["at"],
            "version": after["version"],
            "before": before["recommendation"],
            "after": after["recommendation"],
            "class": after["class"],
        }
        for before, after in pairwise(versions(connection, incident_id))
        if before["recommendation"] != after["recommendation"]
    ]


def compared(connection: Connection, incident_id: str, before: int, after: int) -> Comparison:
    """What changed between two versions of the assessment, and why.

    Raises:
        NotFound: the incident has no such version.
    """
    old, new = (_assessment(connection, incident_id, version) for version in (before, after))
    old_basis, new_basis = (
        load_basis(connection, incident_id, version) for version in (before, after)
    )
    return compare(
        Assessment.model_validate(old.document),
        Assessment.model_validate(new.document),
        report_changes(
            standings_at(connection, incident_id, old_basis),
            standings_at(connection, incident_id, new_basis),
        ),
        findings=(old_basis.findings, new_basis.findings),
    )


def task_rows(tasks: Iterable[Task]) -> list[dict[str, Any]]:
    """Tasks as they are shown."""
    return [
        {
            "incident": each.incident_id,
            "number": each.number,
            "kind": each.kind,
            "subject": each.subject,
            "state": _state(each),
            "owner": each.owner,
            "opened_at": each.opened_at.isoformat(),
            "due_at": each.due_at.isoformat(),
            "overdue_at": _iso(each.overdue_at),
            "closed_at": _iso(each.closed_at),
            "closed_by": each.closed_by,
            "reason": each.reason,
            **each.matter,
        }
        for each in tasks
    ]


def open_task_counts(connection: Connection) -> dict[str, int]:
    """How many tasks wait for somebody, by incident."""
    rows = connection.execute(
        select(task.c.incident_id, func.count().label("number"))
        .where(task.c.closed_at.is_(None))
        .group_by(task.c.incident_id)
    )
    return {row.incident_id: row.number for row in rows}


def timeline_entries(
    connection: Connection, incident_id: str
) -> Iterator[tuple[datetime, str, str, str]]:
    """What the timeline says of them: when, what, detail, by whom."""
    for change in recommendation_changes(connection, incident_id):
        detail = f"{change['before']} -> {change['after']}, version {change['version']}"
        yield datetime.fromisoformat(change["at"]), "recommendation", detail, "classification"
    for each in taskbook.tasks_of(connection, incident_id):
        name = f"{each.number} {each.subject}"
        yield each.opened_at, "task", name, taskbook.WORKFLOW
        if each.overdue_at:
            yield each.overdue_at, "overdue", f"task {each.number}", taskbook.WORKFLOW
        if each.closed_at:
            yield each.closed_at, f"task {each.outcome}", name, each.closed_by or ""


def _assessment(connection: Connection, incident_id: str, version: int) -> Artefact:
    found = casefile.find_artefact(connection, incident_id, "assessment", version)
    if found is None:
        raise NotFound(
            f"{incident_id} has no assessment {version}: see 'leerp assessment list {incident_id}'"
        )
    return found


def _state(each: Task) -> str:
    if each.closed_at is None:
        return "overdue" if each.overdue_at else "open"
    return str(each.outcome)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
