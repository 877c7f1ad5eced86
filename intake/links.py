"""Why reports are where they are: the history of their links."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, select

from infra.originals import FIRST_PLACES, stored_at
from infra.tables import incident, link, report
from protocol.errors import NotFound


def links_of(connection: Connection, incident_id: str, *, limit: int) -> list[dict[str, Any]]:
    """``report_id``, ``incident_id``, ``at``, ``by``, ``reason`` of its reports, the newest first.

    Raises:
        NotFound: no such incident.
    """
    if connection.scalar(select(incident.c.id).where(incident.c.id == incident_id)) is None:
        raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
    mine = report.c.incident_id == incident_id
    newest = (
        select(func.max(link.c.id))
        .where(link.c.report_id.in_(select(report.c.id).where(mine)))
        .group_by(link.c.report_id)
    )
    moved = connection.execute(
        select(link.c.report_id, link.c.incident_id, link.c.at, link.c.by, link.c.reason)
        .where(link.c.id.in_(newest))
        .order_by(link.c.id.desc())
        .limit(limit)
    )
    unmoved = mine & ~exists().where(link.c.report_id == report.c.id)
    links = _first_links(connection, unmoved, limit) + [dict(row) for row in moved.mappings()]
    return sorted(links, key=itemgetter("at"), reverse=True)[:limit]


def explain(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    """The history of a report's links: when, by whom, and why, in words."""
    later = connection.execute(
        select(link.c.report_id, link.c.incident_id, link.c.at, link.c.by, link.c.reason)
        .where(link.c.report_id == report_id)
        .order_by(link.c.id)
    )
    history = _first_links(connection, report.c.id == report_id, 1)
    history += [dict(row) for row in later.mappings()]
    return [{name: row[name] for name in ("incident_id", "at", "by", "reason")} for row in history]


def _first_links(
    connection: Connection, which: ColumnElement[bool], limit: int
) -> list[dict[str, Any]]:
    """Where reports went when they came, the newest first."""
    rows = connection.execute(
        select(report.c.seq, report.c.id, stored_at.label("at"))
        .where(which)
        .order_by(report.c.seq.desc())
        .limit(limit)
    ).all()
    places = dict(FIRST_PLACES.read(connection, [row.seq for row in rows]))
    return [
        {
            "report_id": row.id,
            "incident_id": first.incident_id,
            "at": row.at,
            "by": "correlation",
            "reason": json.loads(first.reason),
        }
        for row in rows
        if (first := places[row.seq])
    ]
