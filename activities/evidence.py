"""Reads what is known of an incident from the database: graded evidence and officers' findings."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, select

from activities.standing import taken_back
from classification.evidence import Evidence
from classification.findings import Findings
from infra import casefile
from infra.tables import report


def load_evidence(connection: Connection, incident_id: str) -> list[Evidence]:
    """The contribution of every report of the incident, each under its grade in force.

    What its sender took back is marked as retracted, whichever of the two reports came first.
    """
    rows = connection.execute(
        select(report.c.evidence, report.c.source_grade, report.c.information_grade).where(
            report.c.incident_id == incident_id
        )
    )
    loaded = [
        Evidence.from_json(evidence, grade=f"{source}{information}")
        for evidence, source, information in rows
    ]
    gone = taken_back(connection, report.c.incident_id == incident_id)
    return [replace(item, retracted=True) if item.report_id in gone else item for item in loaded]


def load_findings(connection: Connection, incident_id: str) -> Findings:
    """What officers have stated; nothing yet is empty findings."""
    newest = casefile.find_artefact(connection, incident_id, "findings")
    return Findings.model_validate(newest.document) if newest else Findings()
