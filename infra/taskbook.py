"""The tasks of an incident: opened by the workflow, owned and reported by people, closed by either.

Each function works in the caller's transaction and leaves its audit row there (R1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from infra import audit
from infra.tables_reassessment import task
from protocol.errors import NotFound

WORKFLOW = "workflow"


class TaskKind(StrEnum):
    """What a task is for."""

    VERIFICATION = "verification"
    """A claim that a held launch waits for (domain 3.4, G4)."""
    OUTLOOK = "outlook"
    """Looking at an incident again when the outlook window has passed (domain 3.4)."""
    TELL_PROVIDER = "tell-provider"
    """Telling a provider whom no mail reaches that its restriction was set aside (domain 4.1)."""


class TaskOutcome(StrEnum):
    """What a task came to."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNCLEAR = "unclear"
    """Looked into, and nobody can say yet."""
    DONE = "done"
    """Done: looked at again, or told."""
    OVERTAKEN = "overtaken"
    """Closed by the workflow: there is nothing left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task as it stands."""

    incident_id: str
    number: int
    kind: TaskKind
    subject: str
    opened_at: datetime
    due_at: datetime
    matter: dict[str, Any]
    owner: str | None
    overdue_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    outcome: TaskOutcome | None
    reason: str | None


def tasks_of(connection: Connection, incident_id: str, *, open_only: bool = False) -> list[Task]:
    """The tasks of an incident in the order in which they were opened."""
    query = select(task).where(task.c.incident_id == incident_id).order_by(task.c.number)
    if open_only:
        query = query.where(task.c.closed_at.is_(None))
    return [_task(dict(row._mapping)) for row in connection.execute(query)]  # noqa: SLF001


def all_open(connection: Connection) -> list[Task]:
    """Every task that waits for somebody, the most urgent first."""
    query = select(task).where(task.c.closed_at.is_(None))
    ordered = query.order_by(task.c.due_at, task.c.incident_id, task.c.number)
    return [_task(dict(row._mapping)) for row in connection.execute(ordered)]  # noqa: SLF001


def get_task(connection: Connection, incident_id: str, number: int) -> Task:
    """One task.

    Raises:
        NotFound: the incident has no such task.
    """
    row = connection.execute(
        select(task).where(task.c.incident_id == incident_id, task.c.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"{incident_id} has no task {number}: see 'leerp tasks list --incident {incident_id}'"
        )
    return _task(dict(row._mapping))  # noqa: SLF001


def open_task(
    connection: Connection,
    incident_id: str,
    kind: TaskKind,
    subject: str,
    matter: Mapping[str, Any],
    *,
    at: datetime,
    due_at: datetime,
) -> int:
    """Add a task that nobody owns yet; return its number, from 1."""
    newest = connection.scalar(
        select(func.max(task.c.number)).where(task.c.incident_id == incident_id)
    )
    number = (newest or 0) + 1
    connection.execute(
        insert(task).values(
            incident_id=incident_id,
            number=number,
            kind=kind,
            subject=subject,
            opened_at=at,
            due_at=due_at,
            matter=dict(matter),
        )
    )
    _note(connection, incident_id, number, "task_opened", kind=kind, task_subject=subject)
    return number


def change_matter(
    connection: Connection, incident_id: str, number: int, matter: Mapping[str, Any]
) -> None:
    """Other reports stand behind an open task now."""
    _set(connection, incident_id, number, matter=dict(matter))
    _note(connection, incident_id, number, "task_changed")


def give_task(
    connection: Connection, incident_id: str, number: int, owner: str, *, by: str, channel: str
) -> None:
    """Make an officer the owner of a task."""
    _set(connection, incident_id, number, owner=owner)
    _note(connection, incident_id, number, "task_assigned", actor=by, channel=channel, owner=owner)


def close_task(
    connection: Connection,
    incident_id: str,
    number: int,
    outcome: TaskOutcome,
    *,
    at: datetime,
    reason: str,
    by: str = WORKFLOW,
    channel: str = WORKFLOW,
) -> None:
    """End a task with what it came to, and why."""
    _set(
        connection,
        incident_id,
        number,
        closed_at=at,
        closed_by=by,
        outcome=outcome,
        reason=reason,
    )
    _note(
        connection,
        incident_id,
        number,
        "task_closed",
        actor=by,
        channel=channel,
        outcome=outcome,
        reason=reason,
    )


def close_open(
    connection: Connection,
    incident_id: str,
    kinds: Collection[TaskKind],
    *,
    at: datetime,
    reason: str,
) -> None:
    """Overtake all open tasks of these kinds."""
    for each in tasks_of(connection, incident_id, open_only=True):
        if each.kind in kinds:
            close_task(
                connection, incident_id, each.number, TaskOutcome.OVERTAKEN, at=at, reason=reason
            )


def mark_overdue(connection: Connection, incident_id: str, *, at: datetime) -> tuple[Task, ...]:
    """Mark the open tasks whose time has passed; those marked at ``at``, the same when repeated."""
    late = [
        each
        for each in tasks_of(connection, incident_id, open_only=True)
        if each.due_at <= at and each.overdue_at in (None, at)
    ]
    for each in late:
        if each.overdue_at is None:
            _set(connection, incident_id, each.number, overdue_at=at)
            _note(connection, incident_id, each.number, "task_overdue")
    return tuple(late)


def next_due(connection: Connection, incident_id: str) -> datetime | None:
    """When the first open task that is not overdue yet falls due."""
    found: datetime | None = connection.scalar(
        select(func.min(task.c.due_at)).where(
            task.c.incident_id == incident_id,
            task.c.closed_at.is_(None),
            task.c.overdue_at.is_(None),
        )
    )
    return found


def _set(connection: Connection, incident_id: str, number: int, **values: Any) -> None:
    connection.execute(
        update(task)
        .where(task.c.incident_id == incident_id, task.c.number == number)
        .values(**values)
    )


def _note(
    connection: Connection,
    incident_id: str,
    number: int,
    event: str,
    *,
    actor: str = WORKFLOW,
    channel: str = WORKFLOW,
    **detail: Any,
) -> None:
    audit.append(
        connection, event, actor=actor, subject=incident_id, channel=channel, task=number, **detail
    )


def _task(row: Mapping[str, Any]) -> Task:
    outcome = row["outcome"]
    return Task(
        **{
            **row,
            "kind": TaskKind(row["kind"]),
            "outcome": None if outcome is None else TaskOutcome(outcome),
        }
    )
