"""Reads what is known of an incident from the database: graded evidence and officers' findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from activities.standing import taken_back
from classification.evidence import Evidence
from classification.facts import Facts, facts
from classification.findings import Findings
from infra import casefile
from infra.tables import incident, report
from protocol.errors import NotFound
from protocol.profile import ClassificationRules


def load_evidence(connection: Connection, incident_id: str) -> list[Evidence]:
    """The contribution of every report of the incident, each under its grade in force.

    What its sender took back is marked as retracted, whichever of the two reports came first.
    """
    return load_evidence_of(connection, [incident_id])[incident_id]


def load_evidence_of(
    connection: Connection, incident_ids: Sequence[str]
) -> dict[str, list[Evidence]]:
    """As ``load_evidence``, of at most some hundreds of incidents at once."""
    loaded: dict[str, list[Evidence]] = {incident_id: [] for incident_id in incident_ids}
    which = report.c.incident_id.in_(incident_ids)
    gone = taken_back(connection, which)
    rows = connection.execute(
        select(
            report.c.incident_id,
            report.c.evidence,
            report.c.source_grade,
            report.c.information_grade,
        ).where(which)
    )
    for incident_id, evidence, source, information in rows:
        item = Evidence.from_json(evidence, grade=f"{source}{information}")
        retracted = item.report_id in gone
        loaded[incident_id].append(replace(item, retracted=True) if retracted else item)
    return loaded


def load_findings(connection: Connection, incident_id: str) -> Findings:
    """What officers have stated; nothing yet is empty findings."""
    newest = casefile.find_artefact(connection, incident_id, "findings")
    return Findings.model_validate(newest.document) if newest else Findings()


def load_facts(connection: Connection, incident_id: str, rules: ClassificationRules) -> Facts:
    """What is known of an incident by its reports and officers (R7, R13).

    Raises:
        NotFound: no such incident.
    """
    if connection.scalar(select(incident.c.id).where(incident.c.id == incident_id)) is None:
        raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
    return facts(
        load_evidence(connection, incident_id), load_findings(connection, incident_id), rules
    )
