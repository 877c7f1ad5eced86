"""What people look at: incidents, reports, notices and timelines, read from the database.

Nothing here changes anything. Rows are plain JSON-able dicts, the same for table, ``--json`` and pages.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from infra import casefile, taskbook
from infra.originals import BODIES, documents
from infra.tables import acknowledgement, artefact, campaign, incident, report, stage_log
from infra.tables_decisions import decision
from notifications.campaign_list import mail_rows
from notifications.followups import counts
from protocol.errors import NotFound
from workflows import reassessed
from workflows.decided import pending_gates
from workflows.detection_times import as_rows, load_detection_times, timeline_entries

DRAFTS_SHOWN = (
    "assessment",
    "threat-assessment",
    "findings",
    "outcome",
    "centre",
    "ewn",
    "downgrade",
    "invitation",
    "plan-draft",
    "plan",
    "closure",
)


def incidents(connection: Connection, *, include_ended: bool = True) -> list[dict[str, Any]]:
    """Every incident and cluster under triage, the newest first."""
    sizes = (
        select(report.c.incident_id, func.count().label("reports"))
        .group_by(report.c.incident_id)
        .subquery()
    )
    query = (
        select(incident, sizes.c.reports)
        .outerjoin(sizes, sizes.c.incident_id == incident.c.id)
        .where(incident.c.status != "merged")
        .order_by(incident.c.created_at.desc(), incident.c.id)
    )
    if not include_ended:
        query = query.where(incident.c.status != "ended")
    rows, waiting = [], reassessed.open_task_counts(connection)
    for row in connection.execute(query):
        assessed = casefile.find_artefact(connection, row.id, "assessment")
        rows.append(
            {
                "id": row.id,
                "status": row.status,
                "stage": row.stage or "",
                "class": assessed.document["threat_class"] if assessed else "",
                "recommendation": assessed.document["recommendation"] if assessed else "",
                "reports": row.reports or 0,
                "tasks": waiting.get(row.id, 0),
                "exercise": row.exercise,
                "created_at": row.created_at.isoformat(),
            }
        )
    return rows


def incident_details(connection: Connection, incident_id: str) -> dict[str, Any]:
    """One incident: stages, newest artefacts, what waits at a gate, decisions and notices.

    Raises:
        NotFound: no such incident.
    """
    row = _incident(connection, incident_id)
    newest = {
        kind: found
        for kind in DRAFTS_SHOWN
        if (found := casefile.find_artefact(connection, incident_id, kind))
    }
    return {
        "id": row.id,
        "status": row.status,
        "stage": row.stage,
        "exercise": row.exercise,
        "profile": row.profile,
        "merged_into": row.merged_into,
        "reports": connection.scalar(
            select(func.count()).select_from(report).where(report.c.incident_id == incident_id)
        ),
        "detection_times": as_rows(load_detection_times(connection, incident_id)),
        "stages": stages(connection, incident_id),
        "recommendations": reassessed.recommendation_changes(connection, incident_id),
        "tasks": reassessed.task_rows(taskbook.tasks_of(connection, incident_id)),
        "assessment": newest["assessment"].document if "assessment" in newest else None,
        "drafts": {
            kind: {"version": found.version, "by": found.by, "digest": found.digest}
            for kind, found in newest.items()
        },
        "pending": [] if row.status == "ended" else pending_gates(connection, incident_id),
        "decisions": decisions(connection, incident_id),
        "notices": notices(connection, incident_id),
    }


def stages(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """The stages that the incident entered, in order."""
    rows = connection.execute(
        select(stage_log).where(stage_log.c.incident_id == incident_id).order_by(stage_log.c.number)
    )
    return [
        {
            "stage": row.stage,
            "entered": row.entered.isoformat(),
            "left": row.left.isoformat() if row.left else None,
            "overdue_at": row.overdue_at.isoformat() if row.overdue_at else None,
        }
        for row in rows
    ]


def decisions(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """What people decided, in order."""
    rows = connection.execute(
        select(decision)
        .where(decision.c.incident_id == incident_id)
        .order_by(decision.c.at, decision.c.command_id)
    ).mappings()
    return [{**row, "at": row["at"].isoformat()} for row in rows]


def notices(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """Every notice of the incident with its counts by state.

    Raises:
        NotFound: no such incident.
    """
    _incident(connection, incident_id)
    rows = connection.execute(
        select(campaign).where(campaign.c.incident_id == incident_id).order_by(campaign.c.at)
    ).all()
    return [
        {
            "id": row.id,
            "kind": row.kind,
            "revision": row.revision,
            "at": row.at.isoformat(),
            **counts(connection, row.id).model_dump(),
        }
        for row in rows
    ]


def notice_recipients(
    connection: Connection, incident_id: str, campaign_id: str
) -> list[dict[str, Any]]:
    """Each mail of a notice: to which contact, in which state, why, and who acknowledged.

    Raises:
        NotFound: no such incident, or it has no such notice.
    """
    if campaign_id not in {each["id"] for each in notices(connection, incident_id)}:
        raise NotFound(
            f"{incident_id} has no notice {campaign_id}: see 'leerp incidents notices {incident_id}'"
        )
    return [
        {
            "recipient": row.recipient_id,
            "contact": row.contact + 1,
            "reminder": row.revision,
            "variant": row.variant,
            "state": row.state,
            "reason": row.reason,
            "attempts": row.attempt,
            "accepted_at": row.accepted_at.isoformat() if row.accepted_at else None,
            "acknowledged_at": row.acknowledged_at.isoformat() if row.acknowledged_at else None,
        }
        for row in mail_rows(connection, campaign_id)
    ]


def timeline(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """Stages, drafts, decisions and notices of an incident, in the order of time.

    Raises:
        NotFound: no such incident.
    """
    _incident(connection, incident_id)

    def rows_of(table: Table) -> Any:
        return connection.execute(select(table).where(table.c.incident_id == incident_id))

    acknowledged = connection.execute(
        select(acknowledgement.c.at, acknowledgement.c.recipient_id, campaign.c.kind)
        .join(campaign, campaign.c.id == acknowledgement.c.campaign_id)
        .where(campaign.c.incident_id == incident_id)
    )
    stages_entered = list(rows_of(stage_log))
    entries = [
        *((r.entered, "stage", r.stage, "workflow") for r in stages_entered),
        *((r.overdue_at, "overdue", r.stage, "workflow") for r in stages_entered if r.overdue_at),
        *((r.at, "draft", f"{r.kind} version {r.version}", r.by) for r in rows_of(artefact)),
        *((r.at, "decision", r.command, r.officer) for r in rows_of(decision)),
        *((r.at, "notice", f"{r.kind} {r.revision}", "workflow") for r in rows_of(campaign)),
        *((r.at, "acknowledged", r.kind, r.recipient_id) for r in acknowledged),
        *reassessed.timeline_entries(connection, incident_id),
        *timeline_entries(load_detection_times(connection, incident_id)),
    ]
    return [
        {"at": at.isoformat(), "what": what, "detail": detail, "by": by}
        for at, what, detail, by in sorted(entries, key=lambda entry: entry[0])
    ]


def reports(connection: Connection, incident_id: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest reports, of one incident or of all.

    Raises:
        NotFound: no such incident.
    """
    query = select(report).order_by(report.c.seq.desc()).limit(limit)
    if incident_id is not None:
        _incident(connection, incident_id)
        query = query.where(report.c.incident_id == incident_id)
    rows = connection.execute(query).all()
    said = dict(documents(connection, [row.seq for row in rows]))
    return [
        {
            "id": row.id,
            "incident": row.incident_id,
            "group": row.group,
            "reporter": said[row.seq]["reporter"]["name"],
            "grade": f"{row.source_grade}{row.information_grade}",
            "format": row.format,
            "duplicates": row.duplicates,
            "received_at": row.received_at.isoformat(),
            "title": row.title,
        }
        for row in rows
    ]


def report_details(connection: Connection, report_id: str) -> dict[str, Any]:
    """One report with its grade in force and the size of its raw body.

    Raises:
        NotFound: no such report.
    """
    row = connection.execute(select(report).where(report.c.id == report_id)).one_or_none()
    if row is None:
        raise NotFound(f"no report {report_id}: see 'leerp reports list'")
    ((_, document),) = documents(connection, [row.seq])
    ((_, body),) = BODIES.read(connection, [row.body_id])
    return {
        **document,
        "incident": row.incident_id,
        "grade": f"{row.source_grade}{row.information_grade}",
        "duplicates": row.duplicates,
        "raw_bytes": len(body.content),
    }


def _incident(connection: Connection, incident_id: str) -> Row[Any]:
    row = connection.execute(select(incident).where(incident.c.id == incident_id)).one_or_none()
    if row is None:
        raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
    return row
