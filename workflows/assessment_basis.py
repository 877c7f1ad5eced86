"""What the Initial Threat Assessment is made from: the incident's reports in force, as they are now.

Markings are read of all of them; title and source only of those that are listed and may be named.
Source: R11, R12, R31, R32; domain 4.4.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select

from classification.assessment import Assessment
from classification.evidence import Evidence
from classification.graded_reports import (
    TITLE_LENGTH,
    GradedReport,
    NamedReport,
    ReportsBehind,
    reports_behind,
    reports_named,
    reports_to_list,
    without_suppressed,
)
from infra.tables import evaluation, report
from notifications.headers import literal
from notifications.products import Component, Purpose, Variant
from protocol.markings import Marking
from workflows.decided import approved_downgrades


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """An assessment and the reports behind it; neither tells what may not be told of a source."""

    assessment: Assessment
    reports: ReportsBehind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evaluated:
    """Where the grade in force comes from."""

    kind: str
    scheme: str
    original: str


def assessment_basis(
    connection: Connection, incident_id: str, evidence: Sequence[Evidence], assessment: Assessment
) -> Basis:
    """List, count and mark the reports of ``evidence`` that are in force."""
    evaluated = _evaluations(connection, incident_id)
    reports = _graded(connection, incident_id, evidence, evaluated)
    listed = reports_to_list(reports, reports_named(assessment, {r.report_id for r in reports}))
    may_be_named = [r.report_id for r in listed if not r.suppressed]
    behind = reports_behind(reports, listed, _told(connection, may_be_named, evaluated))
    references = {
        graded.report_id: line.reference
        for graded, line in zip(listed, behind.listed, strict=True)
        if line.suppressed
    }
    return Basis(assessment=without_suppressed(assessment, references), reports=behind)


@lru_cache(maxsize=1_000)
def source_withheld(marking: Marking) -> str:
    """Why a source with this marking may not be named, or nothing.

    It is what a sanitised variant would have to leave out for the marking alone (domain 4.4).
    """
    part = Component(id="source", marking=marking, purpose=Purpose.INFORMATION)
    return part.dropped_from(Variant.SANITISED) or ""


def _graded(
    connection: Connection,
    incident_id: str,
    evidence: Sequence[Evidence],
    evaluated: Mapping[str, _Evaluated],
) -> list[GradedReport]:
    markings = _markings(connection, incident_id)
    graded = []
    for item in evidence:
        if item.retracted:
            continue
        marking = markings[item.report_id]
        known = evaluated.get(item.report_id)
        graded.append(
            GradedReport(
                report_id=item.report_id,
                grade=item.grade,
                marking=marking,
                system=known.scheme if known else "",
                suppressed=source_withheld(marking),
            )
        )
    return graded


def _markings(connection: Connection, incident_id: str) -> dict[str, Marking]:
    """The marking in force of each report; few are different, so each is read once."""
    rows = connection.execute(
        select(report.c.id, report.c.document["marking"]).where(report.c.incident_id == incident_id)
    )
    read: dict[str, Marking] = {}
    found = {}
    for report_id, stated in rows:
        text = json.dumps(stated, sort_keys=True)
        if text not in read:
            read[text] = Marking.model_validate(stated)
        found[report_id] = read[text]
    return found | approved_downgrades(connection, incident_id)


def _evaluations(connection: Connection, incident_id: str) -> dict[str, _Evaluated]:
    """The evaluation in force of each report: the newest that is not a mere proposal."""
    rows = connection.execute(
        select(
            evaluation.c.report_id,
            evaluation.c.kind,
            evaluation.c.scheme,
            evaluation.c.original,
        )
        .join(report, report.c.id == evaluation.c.report_id)
        .where(report.c.incident_id == incident_id, evaluation.c.kind != "proposal")
        .order_by(evaluation.c.id)
    )
    return {
        row.report_id: _Evaluated(kind=row.kind, scheme=row.scheme, original=row.original)
        for row in rows
    }


def _told(
    connection: Connection, report_ids: Sequence[str], evaluated: Mapping[str, _Evaluated]
) -> dict[str, NamedReport]:
    rows = connection.execute(
        select(
            report.c.id,
            report.c.title,
            report.c.group,
            report.c.received_at,
            report.c.document["reporter"].label("reporter"),
        ).where(report.c.id.in_(report_ids))
    )
    return {row.id: _named(row, evaluated.get(row.id)) for row in rows}


def _named(row: Any, known: _Evaluated | None) -> NamedReport:
    return NamedReport(
        report_id=row.id,
        source=row.reporter["name"],
        group=row.group,
        title=" ".join(literal(row.title).split())[:TITLE_LENGTH],
        received_at=row.received_at,
        evaluated_by=known.kind if known else "unknown",
        evaluation=f"{known.scheme} {known.original}".strip() if known else "unknown",
    )
