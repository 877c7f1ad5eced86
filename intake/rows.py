"""What a report, a record and a link look like as rows of the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from classification.evidence import evidence_of
from intake.correlation import Placement
from intake.records import ANONYMOUS, RawRecord, Rejected
from protocol.grades import Grade
from protocol.report import IncidentReport

MEDIA_TYPE_LENGTH = 100
LONGEST_ID = 200
"""Of a report or in its sender's words; a longer name names no report."""
VERSIONED = frozenset({"misp", "stix-2.0", "stix-2.1"})
"""Formats in which the same id with a later time stamp is a newer version, without a word of it."""


def report_row(report: IncidentReport, incident_id: str, grade: Grade) -> dict[str, Any]:
    """A row of the table ``report``, with the grade that it begins with."""
    return {
        "id": report.id,
        "group": report.group,
        "principal": report.principal,
        "source_id": report.source_id,
        "format": report.format,
        "title": report.title,
        "received_at": report.received_at,
        "sha256": report.sha256,
        "document": report.model_dump(mode="json"),
        "duplicates": 0,
        "incident_id": incident_id,
        "evidence": evidence_of(report, None).to_json(),
        "source_grade": grade.source,
        "information_grade": grade.information,
    }


def link_row(report: IncidentReport, placement: Placement, at: datetime) -> dict[str, Any]:
    """A row of the table ``link``: where the report went, and why in words."""
    return {
        "report_id": report.id,
        "incident_id": placement.incident_id,
        "at": at,
        "by": "correlation",
        "reason": placement.reason(),
    }


def retraction_rows(report: IncidentReport) -> list[dict[str, Any]]:
    """Rows of the table ``retraction``: the reports that this one takes back, by what it calls them."""
    named = {
        (relation.kind, relation.id)
        for relation in report.relations
        if relation.kind in {"withdraws", "replaces"} and len(relation.id) <= LONGEST_ID
    }
    if report.format in VERSIONED and ("withdraws", report.source_id) not in named:
        named.add(("replaces", report.source_id))
    principal = None if report.principal == ANONYMOUS else report.principal
    return [
        {"report_id": report.id, "kind": kind, "named": name, "principal": principal}
        for kind, name in sorted(named)
    ]


def body_row(record: RawRecord) -> dict[str, Any]:
    """A row of the table ``raw_body``."""
    media_type = record.headers.get("content-type", "application/octet-stream")
    return {
        "sha256": record.sha256,
        "media_type": media_type[:MEDIA_TYPE_LENGTH],
        "size": len(record.body),
        "body": record.body,
    }


def quarantine_row(outcome: Rejected) -> dict[str, Any]:
    """A row of the table ``quarantine``, open."""
    record = outcome.record
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "group": record.group,
        "sha256": record.sha256,
        "size": len(record.body),
        "headers": dict(record.headers),
        "reason": outcome.reason,
        "message": outcome.message,
        "received_at": record.received_at,
        "status": "open",
    }
