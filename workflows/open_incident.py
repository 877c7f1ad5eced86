"""The way into an incident for everything that an officer writes to its case file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, select

from infra.database import Database
from infra.tables import incident
from notifications.authority import WORKING, Attempt, acting, attempted
from protocol.errors import NotFound, Refused


@contextmanager
def opened(database: Database, attempt: Attempt) -> Iterator[Connection]:
    """A write transaction on the incident ``attempt.subject``, once officer and incident are checked.

    Raises:
        NotFound: no such incident.
        Refused: ``unknown-officer``, ``wrong-role``, ``incident-merged`` or ``incident-ended``, or
            what the block itself refuses; each of them is in the audit trail.
    """
    with attempted(database, attempt) as connection:
        acting(connection, attempt.officer, WORKING, attempt.command)
        require_workable(connection, attempt.subject)
        yield connection


def opened_by(
    database: Database, officer: str, channel: str, incident_id: str, command: str
) -> AbstractContextManager[Connection]:
    """``opened`` for an officer's ``command`` on an incident, over one channel."""
    return opened(
        database, Attempt(officer=officer, command=command, subject=incident_id, channel=channel)
    )


def require_workable(connection: Connection, incident_id: str) -> str:
    """Pass only an incident that may be worked on, and return its status.

    Raises:
        NotFound: no such incident.
        Refused: ``incident-merged`` or ``incident-ended``.
    """
    row = connection.execute(
        select(incident.c.status, incident.c.merged_into).where(incident.c.id == incident_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
    if row.status == "merged":
        raise Refused(
            "incident-merged", f"{incident_id} is part of {row.merged_into} now: work on that one"
        )
    if row.status == "ended":
        raise Refused(
            "incident-ended",
            f"{incident_id} is closed, nothing is added to it: new reports open an incident of "
            "their own",
        )
    return str(row.status)
