"""What the demo came to: the JSON of design section 6, and whether all of it is as it must be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from temporalio.client import Client

from infra import audit
from infra.tables import campaign, notification, quarantine, report
from infra.tables_decisions import decision
from notifications.campaigns import recipients_of
from protocol.stages import Gate, NoticeKind, Recommendation, Stage
from workflows import overview

HISTORY_LIMIT, LATE_HISTORY_LIMIT = 500, 1_000
"""Events; a target that a slow machine misses is followed by reminders, which are campaigns too."""
FEWEST_RECIPIENTS = 27
FEWEST_QUARANTINED = 2
SHOWN = (NoticeKind.INITIAL, NoticeKind.EWN, NoticeKind.PLAN, NoticeKind.CLOSURE)
LAUNCHING_CLASSES = {"C2", "C3", "C4"}


async def summarise(
    client: Client, connection: Connection, incident_id: str, *, published: int, seconds: float
) -> dict[str, Any]:
    """The demo's JSON; ``problems`` lists what is not as it must be."""
    details = overview.incident_details(connection, incident_id)
    assessment = details["assessment"]
    verification = audit.verify(connection)
    events = await history_events(client, incident_id)
    notices = {kind.value: _notice(details, kind) for kind in SHOWN}
    found: dict[str, Any] = {
        "incident": incident_id,
        "exercise": details["exercise"],
        "stages": [
            {
                "stage": row["stage"],
                "entered": row["entered"],
                "left": row["left"],
                "in_time": not row["overdue_at"],
            }
            for row in details["stages"]
        ],
        "reports": _reports(connection, published),
        "classification": {
            "class": assessment["threat_class"],
            "impact": assessment["impact"],
            "reach": assessment["reach"],
            "triggers": [trigger["id"] for trigger in assessment["triggers"]],
            "recommendation": assessment["recommendation"],
        },
        "notices": notices,
        "audit": {"rows": verification.rows, "verified": verification.verified},
        "history_events": events,
        "seconds": {"total": round(seconds, 1), **_seconds(connection, incident_id)},
    }
    return {**found, "problems": [*_problems(found), *_closure_problems(connection, incident_id)]}


async def history_events(client: Client, incident_id: str) -> int:
    """Events of the incident's workflow and of all its campaigns together."""
    total = 0
    ids = [f"incident-{incident_id}"]
    incident = await client.get_workflow_handle(ids[0]).fetch_history()
    total += len(incident.events)
    for event in incident.events:
        started = event.start_child_workflow_execution_initiated_event_attributes
        if started.workflow_id:
            history = await client.get_workflow_handle(started.workflow_id).fetch_history()
            total += len(history.events)
    return total


def _notice(details: dict[str, Any], kind: NoticeKind) -> dict[str, int]:
    mine = [row for row in details["notices"] if row["kind"] == kind]
    warning = ("acknowledged", "escalated") if kind is NoticeKind.EWN else ()
    wanted = ("recipients", "accepted", *warning)
    return {name: min((row[name] for row in mine), default=0) for name in wanted}


def _reports(connection: Connection, published: int) -> dict[str, int]:
    stored, duplicates = connection.execute(
        select(func.count(), func.coalesce(func.sum(report.c.duplicates), 0))
    ).one()
    quarantined = connection.scalar(select(func.count()).select_from(quarantine))
    return {
        "published": published,
        "stored": stored,
        "duplicates": int(duplicates),
        "quarantined": quarantined or 0,
    }


def _seconds(connection: Connection, incident_id: str) -> dict[str, float]:
    detected = next(
        datetime.fromisoformat(row["at"])
        for row in audit.export(connection)
        if row["event"] == "incident_detected" and row["subject"] == incident_id
    )
    entered = datetime.fromisoformat(overview.stages(connection, incident_id)[0]["entered"])
    released = connection.scalar(
        select(decision.c.at).where(
            decision.c.incident_id == incident_id,
            decision.c.command == f"{Gate.EWN_RELEASE}-approved",
        )
    )
    last = connection.scalar(
        select(func.max(notification.c.accepted_at))
        .join(campaign, campaign.c.id == notification.c.campaign_id)
        .where(
            campaign.c.incident_id == incident_id,
            campaign.c.kind == NoticeKind.EWN,
            notification.c.contact == 0,
            notification.c.revision == 0,
        )
    )
    return {
        "detection_to_workflow": round((entered - detected).total_seconds(), 3),
        "release_to_last_accepted": round((last - released).total_seconds(), 3)
        if last and released
        else -1.0,
    }


def _problems(found: dict[str, Any]) -> list[str]:
    reports, ewn = found["reports"], found["notices"]["ewn"]
    settled = reports["stored"] + reports["duplicates"] + reports["quarantined"]
    in_time = all(stage["in_time"] for stage in found["stages"])
    most_events = HISTORY_LIMIT if in_time else LATE_HISTORY_LIMIT
    checks = {
        "it is an exercise": found["exercise"],
        "seven stages in order, each left": [s["stage"] for s in found["stages"]] == list(Stage)
        and all(s["left"] for s in found["stages"]),
        "every published report is stored, counted as a duplicate or in quarantine": settled
        == reports["published"],
        "some duplicates and two or more in quarantine": reports["duplicates"] > 0
        and reports["quarantined"] >= FEWEST_QUARANTINED,
        "the recommendation is to launch": found["classification"]["recommendation"]
        == Recommendation.LAUNCH
        and found["classification"]["class"] in LAUNCHING_CLASSES,
        "27 or more recipients in each notice, all accepted": all(
            n["recipients"] >= FEWEST_RECIPIENTS and n["accepted"] == n["recipients"]
            for n in found["notices"].values()
        ),
        "every warning acknowledged": ewn["acknowledged"] == ewn["recipients"],
        "at least one second contact reached": ewn["escalated"] >= 1,
        "the audit trail holds": found["audit"]["verified"],
        f"history under {most_events} events": found["history_events"] < most_events,
    }
    return [f"not so: {name}" for name, holds in checks.items() if not holds]


def _closure_problems(connection: Connection, incident_id: str) -> list[str]:
    initial = recipients_of(connection, f"{incident_id}.{NoticeKind.INITIAL}.1")
    closure = recipients_of(connection, f"{incident_id}.{NoticeKind.CLOSURE}.1")
    same = bool(initial) and set(initial) == set(closure)
    return [] if same else ["not so: the closure went to exactly those who got the initial notice"]
