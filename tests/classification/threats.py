"""Initial Threat Assessments of any size, made by functions for the tests of two rooms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from classification.assessment import assess
from classification.evidence import Evidence
from classification.findings import Findings
from classification.graded_reports import (
    GradedReport,
    NamedReport,
    ReportsBehind,
    reports_behind,
    reports_named,
    reports_to_list,
    without_suppressed,
)
from classification.initial import Completion, InitialThreatAssessment, initial_threat_assessment
from classification.sensitivity import what_would_change
from protocol.markings import HandlingCode, Marking
from protocol.parties import SourceGroup
from protocol.report import Disruption
from tests.classification.builders import PROFILE, make_evidence

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SITUATION = "Hospitals in three states turn patients away."
H2 = Marking(handling_codes=frozenset({HandlingCode.H2}))


def item(number: int = 1, grade: str | None = "B2", **said: Any) -> Evidence:
    """A report of a hospital that was hit, under an id of intake's form."""
    said = {
        "criteria": {"essential-service-disrupted"},
        "countries": {("DE", "ES", "FR", "NL", "US")[number % 5]},
        "sectors": {"health"},
        "organisations": {f"Hospital {number}"},
        "disruption": Disruption.OBSERVED,
    } | said
    return make_evidence(f"2-{number:024x}", grade, **said)


def graded(evidence: Evidence, marking: Marking | None = None, **said: Any) -> GradedReport:
    """The report as it is counted."""
    return GradedReport(
        **{
            "report_id": evidence.report_id,
            "grade": evidence.grade,
            "marking": marking or Marking(),
            "system": "europol4x4",
            **said,
        }
    )


def told(report: GradedReport, **said: Any) -> NamedReport:
    """What may be told of it."""
    return NamedReport(
        **{
            "report_id": report.report_id,
            "source": "Police of Exampleland",
            "group": SourceGroup.LAW_ENFORCEMENT,
            "title": f"Hospital encrypted, {report.report_id[-4:]}",
            "received_at": AT - timedelta(minutes=5),
            "evaluated_by": "provider",
            "evaluation": f"europol4x4 {report.grade}",
            **said,
        }
    )


def behind(reports: Sequence[GradedReport], *parts: BaseModel, **said: Any) -> ReportsBehind:
    """The list of the reports, each told with what is ``said``; the ``parts`` name some."""
    listed = reports_to_list(reports, reports_named(parts, {r.report_id for r in reports}))
    return reports_behind(reports, listed, {r.report_id: told(r, **said) for r in listed})


def completion(**changes: Any) -> Completion:
    return Completion(
        **{
            "incident_id": "inc-ac104890aa27",
            "exercise": False,
            "at": AT,
            "officer": "a.virtanen",
            "officer_name": "Aino Virtanen",
            "organisation": "EC3",
            "assessment_version": 3,
            **changes,
        }
    )


def initial(
    evidence: Sequence[Evidence] | None = None,
    *,
    findings: Findings | None = None,
    suppressed: frozenset[int] = frozenset(),
    marking: Marking | None = None,
    situation: str = SITUATION,
    exercise: bool = False,
    **said: Any,
) -> InitialThreatAssessment:
    """A complete document; ``suppressed`` are positions in the evidence that are marked H2."""
    items = [item()] if evidence is None else list(evidence)
    assessment = assess(items, findings or Findings(), PROFILE)
    changes = what_would_change(items, findings or Findings(), PROFILE, at_most=2)
    reports = [
        graded(each, H2, suppressed="handling code H2")
        if n in suppressed
        else graded(each, marking)
        for n, each in enumerate(items)
        if not each.retracted
    ]
    listing = behind(reports, assessment, changes, **said)
    named = reports_named((assessment, changes), {r.report_id for r in reports})
    ordered = reports_to_list(reports, named)
    references = {
        report.report_id: line.reference
        for report, line in zip(ordered, listing.listed, strict=True)
        if line.suppressed
    }
    return initial_threat_assessment(
        without_suppressed(assessment, references),
        without_suppressed(changes, references),
        listing,
        completion(exercise=exercise),
        situation=situation,
        profile=PROFILE,
    )
