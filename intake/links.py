"""Why reports are where they are: the history of their links."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from infra.tables import incident, link, report
from protocol.errors import NotFound


def links_of(connection: Connection, incident_id: str, *, limit: int) -> list[dict[str, Any]]:
    """``report_id``, ``incident_id``, ``at``, ``by``, ``reason`` of its reports, the newest first.

    Raises:
        NotFound: no such incident.
    """
    if connection.scalar(select(incident.c.id).where(incident.c.id == incident_id)) is None:
        raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
    members = select(report.c.id).where(report.c.incident_id == incident_id)
    newest = (
        select(func.max(link.c.id)).where(link.c.report_id.in_(members)).group_by(link.c.report_id)
    )
    rows = connection.execute(
        select(link.c.report_id, link.c.incident_id, link.c.at, link.c.by, link.c.reason)
        .where(link.c.id.in_(newest))
        .order_by(link.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def explain(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    """The history of a report's links: when, by whom, and why, in words."""
    rows = connection.execute(
        select(link.c.incident_id, link.c.at, link.c.by, link.c.reason)
        .where(link.c.report_id == report_id)
        .order_by(link.c.id)
    )
    return [dict(row) for row in rows.mappings()]
