"""Reads what is known of an incident from the database: graded evidence and officers' findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from classification.evidence import Evidence
from classification.findings import Findings
from infra import casefile
from infra.tables import report, retraction


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
    taken_back = _taken_back(connection, incident_ids)
    rows = connection.execute(
        select(
            report.c.incident_id,
            report.c.evidence,
            report.c.source_grade,
            report.c.information_grade,
        ).where(report.c.incident_id.in_(incident_ids))
    )
    for incident_id, evidence, source, information in rows:
        item = Evidence.from_json(evidence, grade=f"{source}{information}")
        retracted = item.report_id in taken_back
        loaded[incident_id].append(replace(item, retracted=True) if retracted else item)
    return loaded


def load_findings(connection: Connection, incident_id: str) -> Findings:
    """What officers have stated; nothing yet is empty findings."""
    newest = casefile.find_artefact(connection, incident_id, "findings")
    return Findings.model_validate(newest.document) if newest else Findings()


def _taken_back(connection: Connection, incident_ids: Sequence[str]) -> set[str]:
    """Ids of the incidents' reports that their own sender has withdrawn or replaced since.

    Whoever withdraws may stand in another incident, having nothing but the id in common.
    """
    by = report.alias("by")
    rows = connection.execute(
        select(
            report.c.id,
            report.c.seq,
            report.c.source_id,
            report.c.principal,
            report.c.evidence,
            retraction.c.kind,
            retraction.c.principal.label("authenticated"),
            by.c.seq.label("by_seq"),
            by.c.source_id.label("by_source_id"),
            by.c.evidence.label("by_evidence"),
        )
        .join(retraction, retraction.c.named.in_((report.c.id, report.c.source_id)))
        .join(by, (by.c.id == retraction.c.report_id) & (by.c.group == report.c.group))
        .where(report.c.incident_id.in_(incident_ids), by.c.id != report.c.id)
    )
    return {row.id for row in rows if _same_sender(row) and not _later_version(row)}


def _same_sender(row: Any) -> bool:
    """Nobody takes back what another has said: an authenticated principal, or the same name."""
    return bool(
        row.authenticated == row.principal or row.by_evidence["origin"] == row.evidence["origin"]
    )


def _later_version(row: Any) -> bool:
    """A report that replaces its own source id speaks of the versions that came before it."""
    return bool(
        row.kind == "replaces" and row.source_id == row.by_source_id and row.seq > row.by_seq
    )
