"""The tasks of an incident, as activities. External system: the database.

Every one of them may be repeated: it is known by the time that the workflow gives it.
"""

from __future__ import annotations

from pydantic import AwareDatetime
from temporalio import activity

from activities.reassessment import LOOK
from infra import audit, taskbook
from infra.database import Database
from infra.payload import Payload
from infra.taskbook import TaskKind


class TasksOrder(Payload):
    """Look after the tasks of an incident at this time of the workflow."""

    incident_id: str
    at: AwareDatetime


class OutlookOrder(TasksOrder):
    """The outlook window has passed: somebody has to look again."""

    due_at: AwareDatetime
    version: int
    """Of the assessment in force."""


class Settlement(TasksOrder):
    """People have decided about the launch."""

    decision: str
    verify: bool
    """Whether the claims are to be verified all the same, since the decision is to wait for that."""


class TasksDue(Payload):
    """What is late, and what comes next."""

    late: tuple[int, ...] = ()
    """Numbers of the tasks that became overdue."""
    late_since: AwareDatetime | None = None
    next_due: AwareDatetime | None = None


class TaskActivities:
    """Built once per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    def open_outlook_task(self, order: OutlookOrder) -> TasksDue:
        """Record that the window has passed, with a task to look again; once for each time."""
        with self._database.write() as connection:
            known = taskbook.tasks_of(connection, order.incident_id)
            if not any(t.kind is TaskKind.OUTLOOK and t.opened_at == order.at for t in known):
                audit.append(
                    connection,
                    "outlook_window_passed",
                    actor="workflow",
                    subject=order.incident_id,
                    version=order.version,
                )
                taskbook.open_task(
                    connection,
                    order.incident_id,
                    TaskKind.OUTLOOK,
                    "outlook",
                    {"claim": LOOK, "assessment": order.version},
                    at=order.at,
                    due_at=order.due_at,
                )
            return TasksDue(next_due=taskbook.next_due(connection, order.incident_id))

    @activity.defn
    def settle_tasks(self, order: Settlement) -> TasksDue:
        """Close what the decision has overtaken; a repeat finds nothing open."""
        kinds = {TaskKind.OUTLOOK} if order.verify else {TaskKind.OUTLOOK, TaskKind.VERIFICATION}
        with self._database.write() as connection:
            taskbook.close_open(
                connection,
                order.incident_id,
                kinds,
                at=order.at,
                reason=f"two people have decided: {order.decision}",
            )
            return TasksDue(next_due=taskbook.next_due(connection, order.incident_id))

    @activity.defn
    def mark_overdue_tasks(self, order: TasksOrder) -> TasksDue:
        """Mark what has become late at this time; a repeat names the same tasks."""
        with self._database.write() as connection:
            late = taskbook.mark_overdue(connection, order.incident_id, at=order.at)
            return TasksDue(
                late=tuple(each.number for each in late),
                late_since=min((each.due_at for each in late), default=None),
                next_due=taskbook.next_due(connection, order.incident_id),
            )
