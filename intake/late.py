"""Reports that came for an incident when it had just ended: they are taken up again under triage."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, func, or_, select

from infra import audit, casefile
from infra.database import Database
from infra.originals import documents_of, stored_at
from infra.tables import incident, link, report, stage_log
from intake.store import WRITER, Store
from protocol.report import IncidentReport

log = structlog.get_logger()


def take_up_late(
    database: Database, store: Store, ended: str, *, closed_at: datetime | None = None
) -> set[str]:
    """Move what came after the end of incident ``ended`` to clusters of its own; return their ids.

    ``closed_at`` is when its workflow ended, where the database does not say so: the incident is
    marked as ended then. One transaction; a repeat changes nothing.
    """
    with database.write() as connection:
        database.serialise(connection, WRITER)
        status = connection.scalar(select(incident.c.status).where(incident.c.id == ended))
        if status == "ended":
            end = _end_of(connection, ended) or closed_at
        else:
            end = closed_at or datetime.now(UTC)
            casefile.end_incident(connection, ended, end, {"noticed_by": "relay"})
        late = _after(connection, ended, end) if end else []
        if not late:
            return set()
        found = store.place_again(connection, late, continues=ended)
        audit.append(
            connection,
            "reports_after_end",
            actor="intake",
            subject=ended,
            reports=[each.id for each in late],
            continued_by=sorted(found),
        )
    log.warning("reports_after_end", incident_id=ended, reports=len(late))
    return found


def _end_of(connection: Connection, ended: str) -> datetime | None:
    left: datetime | None = connection.scalar(
        select(func.max(stage_log.c.left)).where(stage_log.c.incident_id == ended)
    )
    return left


def _after(connection: Connection, ended: str, end: datetime) -> list[IncidentReport]:
    """The incident's reports that were linked to it after its end, in the order of their arrival."""
    linked = select(link.c.report_id).where(
        link.c.report_id == report.c.id, link.c.incident_id == ended, link.c.at > end
    )
    late = (report.c.incident_id == ended) & or_(stored_at > end, linked.exists())
    return [IncidentReport.model_validate(each) for each in documents_of(connection, late)]
