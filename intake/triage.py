"""The triage list: clusters that are no incidents yet, by what they could be.

Source: issue 5; design section 3; R7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select

from infra.database import Database
from infra.tables import incident, report
from intake.holding import held_by
from intake.triage_view import views
from protocol.profile import Profile

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some clusters, the most urgent first, out of ``total``."""

    total: int
    clusters: list[dict[str, Any]]


def triage(
    database: Database, profile: Profile, *, now: datetime, limit: int, offset: int = 0
) -> Page:
    """Clusters under triage: the gravest possible class first, then the fastest growth, the most
    reports, the newest.

    Each has ``id``, ``class``, ``impact``, ``reach`` (if every claim holds), ``reports``,
    ``sources``, ``groups``, ``countries``, ``sectors``, ``first``, ``last`` (received),
    ``last_hour`` and ``before`` (reports an hour), ``growth`` (how many an hour more than before),
    ``held_by`` and ``hubs`` (warnings in words).
    """
    could_be = views(database, profile)
    with database.read() as connection:
        clusters = [
            {**could_be[row["id"]], **row}
            for row in _counts(connection, now)
            if row["id"] in could_be
        ]
        clusters.sort(key=_urgency)
        shown = clusters[offset : offset + limit]
        holding = held_by(connection, [each["id"] for each in shown], profile.correlation)
    return Page(
        total=len(clusters),
        clusters=[
            {**each, "held_by": holding[each["id"]], "hubs": _hubs(holding[each["id"]])}
            for each in shown
        ],
    )


def _urgency(cluster: Mapping[str, Any]) -> tuple[int, float, int, float, str]:
    return (
        -int(cluster["class"][1:]),
        -cluster["growth"],
        -cluster["reports"],
        -cluster["last"].timestamp(),
        cluster["id"],
    )


def _counts(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    recent = func.sum(case((report.c.received_at > now - HOUR, 1), else_=0))
    rows = connection.execute(
        select(
            report.c.incident_id,
            func.count().label("reports"),
            recent.label("recent"),
            func.min(report.c.received_at).label("first"),
            func.max(report.c.received_at).label("last"),
        )
        .join(incident, incident.c.id == report.c.incident_id)
        .where(incident.c.status == "triage")
        .group_by(report.c.incident_id)
    )
    found = []
    for row in rows:
        hours = max((now - HOUR - row.first) / HOUR, 1.0)
        before = (row.reports - row.recent) / hours
        found.append(
            {
                "id": row.incident_id,
                "reports": row.reports,
                "first": row.first,
                "last": row.last,
                "last_hour": row.recent,
                "before": round(before, 2),
                "growth": round(row.recent - before, 2),
            }
        )
    return found


def _hubs(holding: list[dict[str, Any]]) -> list[str]:
    return [
        f"{each['indicator']} is named by {each['reports']} reports of {each['sources']} sources: "
        "see whether it tells anything, and split the cluster if it does not"
        for each in holding
        if each["hub"]
    ]
