"""Reads the least detection time of an incident from its reports and its stages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from classification.detection_time import DetectionTimes, Span, Stretch, detection_times
from infra.originals import documents_of
from infra.tables import incident, report, stage_log
from protocol.report import TimeKind
from protocol.stages import Stage

EVENTS = frozenset({TimeKind.OBSERVED, TimeKind.STARTED})
"""Times that are of the attack itself and not of somebody's dealing with it."""
MOMENTS = ("first_report", "detection", "launch")
SPANS = (
    "event_to_report",
    "event_to_detection",
    "event_to_launch",
    "report_to_detection",
    "detection_to_launch",
)


def load_detection_times(connection: Connection, incident_id: str) -> DetectionTimes:
    """The times of an incident or cluster, as far as they are known.

    The launch is when it entered the stage that a launch leads to.
    """
    first_report = connection.scalar(
        select(func.min(report.c.received_at)).where(report.c.incident_id == incident_id)
    )
    detected = connection.scalar(select(incident.c.detected_at).where(incident.c.id == incident_id))
    launch = connection.scalar(
        select(func.min(stage_log.c.entered)).where(
            stage_log.c.incident_id == incident_id, stage_log.c.stage == Stage.COORDINATION
        )
    )
    return detection_times(
        _events(connection, incident_id),
        first_report=first_report,
        detection=detected,
        launch=launch,
    )


def as_rows(times: DetectionTimes) -> dict[str, Any]:
    """As JSON: moments in ISO 8601, spans in seconds, each with its least and its most."""
    event = times.first_event
    said: dict[str, Any] = {
        "first_event": event and {"earliest": event[0].isoformat(), "latest": event[1].isoformat()}
    }
    for name in MOMENTS:
        at: datetime | None = getattr(times, name)
        said[name] = at and at.isoformat()
    for name in SPANS:
        span: Span | None = getattr(times, name)
        said[name] = span and {
            "least_seconds": span.least.total_seconds(),
            "most_seconds": span.most.total_seconds(),
        }
    return said


def timeline_entries(times: DetectionTimes) -> list[tuple[datetime, str, str, str]]:
    """What the timeline says of them: when, what, detail, by whom."""
    entries = []
    if event := times.first_event:
        until = "" if event[0] == event[1] else f", at the latest {event[1].isoformat()}"
        entries.append((event[0], "first event", f"as reports state it{until}", "reports"))
    if times.first_report:
        entries.append((times.first_report, "first report", "received", "intake"))
    if times.detection:
        span = times.event_to_detection
        took = f"{span.least} to {span.most} after the first event" if span else ""
        entries.append((times.detection, "detection", took, "intake"))
    return entries


def _events(connection: Connection, incident_id: str) -> Iterator[Stretch]:
    for document in documents_of(connection, report.c.incident_id == incident_id):
        for each in document["times"]:
            if each["kind"] in EVENTS:
                yield _read(each["earliest"]), _read(each["latest"])


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)
