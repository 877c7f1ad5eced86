"""What an act on clusters asks for before anything is moved."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from infra.tables import report
from protocol.errors import NotFound, Refused
from workflows.open_incident import require_workable

CHUNK = 500
"""Ids in one condition."""


def incident_of(connection: Connection, report_id: str) -> str:
    """The incident that the report is in.

    Raises:
        NotFound: no such report.
    """
    found = connection.scalar(select(report.c.incident_id).where(report.c.id == report_id))
    if found is None:
        raise NotFound(f"no report {report_id}: see 'leerp reports list'")
    return str(found)


def check_target(connection: Connection, source: str, target: str) -> None:
    """Pass another incident that may be worked on.

    Raises:
        NotFound: no such incident.
        Refused: ``same-incident``, ``incident-merged`` or ``incident-ended``.
    """
    if source == target:
        raise Refused("same-incident", f"that is {source} already: name another incident")
    require_workable(connection, target)


def check_members(connection: Connection, incident_id: str, report_ids: Sequence[str]) -> None:
    """Pass reports that are all in the incident.

    Raises:
        NotFound: one of them is not.
        Refused: ``no-reports``.
    """
    if not report_ids:
        raise Refused("no-reports", "name the reports that should be a cluster of their own")
    strangers = set(report_ids)
    for start in range(0, len(report_ids), CHUNK):
        strangers -= set(
            connection.scalars(
                select(report.c.id).where(
                    report.c.incident_id == incident_id,
                    report.c.id.in_(report_ids[start : start + CHUNK]),
                )
            )
        )
    if strangers:
        raise NotFound(
            f"{incident_id} has no report {', '.join(sorted(strangers)[:3])}: see "
            f"'leerp reports list --incident {incident_id}'"
        )
