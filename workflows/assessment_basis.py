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
from classification.sensitivity import WhatWouldChange
from infra.originals import ORIGINALS, documents
from infra.tables import evaluation, report
from notifications.change_words import WAYS_READ
from notifications.headers import literal
from notifications.products import Component, Purpose, Variant
from protocol.markings import Marking
from workflows.decided import approved_downgrades


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """An assessment and the reports behind it; nothing tells what may not be told of a source."""

    assessment: Assessment
    what_would_change: WhatWouldChange
    reports: ReportsBehind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evaluated:
    """Where the grade in force comes from."""

    kind: str
    scheme: str
    original: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What a report came in with."""

    id: str
    marking: str
    """As JSON."""
    evaluated: _Evaluated


def assessment_basis(
    connection: Connection,
    incident_id: str,
    evidence: Sequence[Evidence],
    assessment: Assessment,
    changes: WhatWouldChange,
) -> Basis:
    """List, count and mark the reports of ``evidence`` that are in force."""
    stored = _stored(connection, incident_id)
    evaluated = {each.id: each.evaluated for each in stored} | _later(connection, incident_id)
    markings = _markings(stored) | approved_downgrades(connection, incident_id)
    reports = _graded(evidence, markings, evaluated)
    changes = _first_ways(changes)
    named = reports_named((assessment, changes), {r.report_id for r in reports})
    listed = reports_to_list(reports, named)
    may_be_named = [r.report_id for r in listed if not r.suppressed]
    behind = reports_behind(reports, listed, _told(connection, may_be_named, evaluated))
    references = {
        graded.report_id: line.reference
        for graded, line in zip(listed, behind.listed, strict=True)
        if line.suppressed
    }
    return Basis(
        assessment=without_suppressed(assessment, references),
        what_would_change=without_suppressed(changes, references),
        reports=behind,
    )


def _first_ways(changes: WhatWouldChange) -> WhatWouldChange:
    """Of the sets of changes as many as are read; each names reports, which are then listed."""
    goals = tuple(goal.model_copy(update={"ways": goal.ways[:WAYS_READ]}) for goal in changes.goals)
    return changes.model_copy(update={"goals": goals})


@lru_cache(maxsize=1_000)
def source_withheld(marking: Marking) -> str:
    """Why a source with this marking may not be named, or nothing.

    It is what a sanitised variant would have to leave out for the marking alone (domain 4.4).
    """
    part = Component(id="source", marking=marking, purpose=Purpose.INFORMATION)
    return part.dropped_from(Variant.SANITISED) or ""


def _graded(
    evidence: Sequence[Evidence],
    markings: Mapping[str, Marking],
    evaluated: Mapping[str, _Evaluated],
) -> list[GradedReport]:
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


def _stored(connection: Connection, incident_id: str) -> list[_Stored]:
    """The reports of the incident as they came in."""
    rows = connection.execute(
        select(report.c.seq, report.c.id).where(report.c.incident_id == incident_id)
    )
    ids = {row.seq: row.id for row in rows}
    return [
        _Stored(
            id=ids[seq],
            marking=json.dumps(json.loads(first.document)["marking"], sort_keys=True),
            evaluated=_Evaluated(kind=first.kind, scheme=first.scheme, original=first.original),
        )
        for seq, first in ORIGINALS.read(connection, ids)
    ]


def _markings(stored: Sequence[_Stored]) -> dict[str, Marking]:
    """The marking that each report came with; few are different, so each is read once."""
    read = {text: Marking.model_validate_json(text) for text in {each.marking for each in stored}}
    return {each.id: read[each.marking] for each in stored}


def _later(connection: Connection, incident_id: str) -> dict[str, _Evaluated]:
    """The newest evaluation of each report that is not a mere proposal, where one came later."""
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
            report.c.seq,
        ).where(report.c.id.in_(report_ids))
    ).all()
    said = dict(documents(connection, [row.seq for row in rows]))
    return {
        row.id: _named(row, said[row.seq]["reporter"]["name"], evaluated.get(row.id))
        for row in rows
    }


def _named(row: Any, source: str, known: _Evaluated | None) -> NamedReport:
    return NamedReport(
        report_id=row.id,
        source=source,
        group=row.group,
        title=" ".join(literal(row.title).split())[:TITLE_LENGTH],
        received_at=row.received_at,
        evaluated_by=known.kind if known else "unknown",
        evaluation=f"{known.scheme} {known.original}".strip() if known else "unknown",
    )
