"""Reports that go from one incident to another, each with a row of history that says why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, insert, literal, select, update

from infra.tables import Utc, link, report


def move_reports(
    connection: Connection,
    which: ColumnElement[bool],
    to: str,
    *,
    by: str,
    reason: Mapping[str, Any],
    at: datetime,
) -> int:
    """Move the stored reports that ``which`` picks and that are not there yet; return how many.

    ``by`` is an officer's id or ``correlation``, ``reason`` as ``Placement.reason``.
    """
    elsewhere = (which, report.c.incident_id != to)
    history = select(
        report.c.id, literal(to), literal(at, Utc), literal(by), literal(dict(reason), JSON)
    ).where(*elsewhere)
    columns = ["report_id", "incident_id", "at", "by", "reason"]
    connection.execute(insert(link).from_select(columns, history))
    return connection.execute(update(report).where(*elsewhere).values(incident_id=to)).rowcount
