"""What officers do with the tasks of an incident: take, assign, report the result.

Source: domain 3.4 (urgent verification tasks with a timer); R1, R11.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime

from sqlalchemy import Connection

from infra import taskbook
from infra.database import Database
from infra.taskbook import Task, TaskKind, TaskOutcome
from notifications.authority import WORKING, acting
from protocol.errors import Refused
from workflows.open_incident import opened_by

RESULTS = {
    TaskKind.VERIFICATION: (TaskOutcome.CONFIRMED, TaskOutcome.REFUTED, TaskOutcome.UNCLEAR),
    TaskKind.OUTLOOK: (TaskOutcome.DONE,),
    TaskKind.TELL_PROVIDER: (TaskOutcome.DONE,),
}
"""What a person may report of each kind of task."""


class Taskwork:
    """Tasks in the hands of one officer, over one channel. Every act is one transaction.

    All methods raise ``Refused`` (``unknown-officer``, ``wrong-role``, ``incident-merged``,
    ``incident-ended``, ``task-closed``) and ``NotFound`` (no such incident or task), besides what
    they name themselves.
    """

    def __init__(self, database: Database, *, officer: str, channel: str) -> None:
        self._database = database
        self._officer = officer
        self._channel = channel

    def take(self, incident_id: str, number: int) -> Task:
        """Become the owner of a task."""
        return self.assign(incident_id, number, to=self._officer)

    def assign(self, incident_id: str, number: int, *, to: str) -> Task:
        """Make another officer the owner of a task.

        Raises:
            Refused: ``to`` is no officer of the directory, or has no role in incidents.
        """
        with self._open(incident_id, "assign task") as connection:
            _open_task(connection, incident_id, number)
            acting(connection, to, WORKING, "a task")
            taskbook.give_task(
                connection, incident_id, number, to, by=self._officer, channel=self._channel
            )
            return taskbook.get_task(connection, incident_id, number)

    def report(self, incident_id: str, number: int, result: TaskOutcome, *, reason: str) -> Task:
        """Say what a task came to, and why. The assessment changes by reports and grades alone.

        Raises:
            Refused: ``not-yours``, ``no-reason``, or ``wrong-result`` for a task of this kind.
        """
        with self._open(incident_id, "report task") as connection:
            found = _open_task(connection, incident_id, number)
            if found.owner != self._officer:
                raise Refused(
                    "not-yours",
                    f"task {number} belongs to {found.owner or 'nobody yet'}: take it first with "
                    f"'leerp tasks take {incident_id} {number}'",
                )
            if not reason.strip():
                raise Refused("no-reason", "a result needs its reason: what was asked, of whom")
            if result not in RESULTS[found.kind]:
                allowed = ", ".join(RESULTS[found.kind])
                raise Refused("wrong-result", f"a task of kind {found.kind} comes to: {allowed}")
            taskbook.close_task(
                connection,
                incident_id,
                number,
                result,
                at=datetime.now(UTC),
                reason=reason,
                by=self._officer,
                channel=self._channel,
            )
            return taskbook.get_task(connection, incident_id, number)

    def _open(self, incident_id: str, command: str) -> AbstractContextManager[Connection]:
        return opened_by(self._database, self._officer, self._channel, incident_id, command)


def _open_task(connection: Connection, incident_id: str, number: int) -> Task:
    found = taskbook.get_task(connection, incident_id, number)
    if found.closed_at is not None:
        raise Refused(
            "task-closed", f"task {number} is closed by {found.closed_by}: {found.reason}"
        )
    return found
