"""The chains of link keys of one incident, made anew from what its reports say.

Intake makes them report by report; after an officer's act they are made from the reports that are
left, which comes to the same. Source: design section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from infra.tables import link_key, report
from infra.tables_regrouping import apart, side_key
from intake.link_keys import link_keys
from protocol.profile import CorrelationRules
from protocol.report import IncidentReport, Indicator

Stretch = tuple[datetime, datetime]
ROWS = 10_000


def chains(stretches: Iterable[Stretch], window: timedelta) -> list[Stretch]:
    """Join stretches of time of which one begins at most ``window`` after the ones before ended."""
    joined: list[Stretch] = []
    for earliest, latest in sorted(stretches):
        if joined and earliest - window <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], latest)
        else:
            joined.append((earliest, latest))
    return joined


def rebuild_keys(
    connection: Connection,
    incident_id: str,
    rules: CorrelationRules,
    telling: Callable[[Indicator], bool],
    *,
    without: Collection[str] = (),
) -> None:
    """Make the incident's chains from its reports, except those ``without``.

    Where it is kept apart from others, these are also the keys by which later reports find it.
    """
    seen: dict[str, list[Stretch]] = {}
    documents = connection.execute(
        select(report.c.id, report.c.document).where(report.c.incident_id == incident_id)
    )
    for report_id, document in documents:
        if report_id in without:
            continue
        content = IncidentReport.model_validate(document)
        for key in link_keys(content, rules, telling):
            seen.setdefault(key, []).append(content.window())
    rows = [
        {"key": key, "earliest": earliest, "latest": latest, "incident_id": incident_id}
        for key in sorted(seen)
        for earliest, latest in chains(seen[key], rules.window)
    ]
    tables = [link_key, side_key] if is_side(connection, incident_id) else [link_key]
    for table in (link_key, side_key):
        connection.execute(delete(table).where(table.c.incident_id == incident_id))
    for table in tables:
        for start in range(0, len(rows), ROWS):
            connection.execute(insert(table), rows[start : start + ROWS])


def is_side(connection: Connection, incident_id: str) -> bool:
    """Whether officers keep the incident apart from any other."""
    found = connection.scalar(
        select(apart.c.made_by)
        .where(apart.c.incident_id == incident_id, apart.c.ended_by.is_(None))
        .limit(1)
    )
    return found is not None
