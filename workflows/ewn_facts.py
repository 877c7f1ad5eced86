"""The graded facts and indicators that an Early Warning Notification starts from (R29)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from infra import casefile
from infra.tables import decision, report
from notifications.ewn_sections import Fact, IndicatorLine
from protocol.grades import Grade
from protocol.markings import Marking
from protocol.parties import SourceGroup
from protocol.report import IncidentReport, IndicatorType
from protocol.stages import Gate

FACTS = 12
INDICATORS = 20
INDICATOR_LIFE = timedelta(days=30)
MOST_TELLING = (
    IndicatorType.SHA256,
    IndicatorType.SHA1,
    IndicatorType.MD5,
    IndicatorType.WALLET,
    IndicatorType.URL,
    IndicatorType.DOMAIN,
    IndicatorType.IP,
    IndicatorType.EMAIL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EwnFacts:
    """What the best-graded reports of an incident say."""

    timeline: tuple[Fact, ...]
    indicators: tuple[IndicatorLine, ...]
    inputs: tuple[str, ...]


def ewn_facts(connection: Connection, incident_id: str) -> EwnFacts:
    """Take the best-graded reports, earliest first, with each report's own marking and grade."""
    rows = connection.execute(
        select(report.c.document, report.c.source_grade, report.c.information_grade)
        .where(report.c.incident_id == incident_id)
        .order_by(report.c.source_grade, report.c.information_grade, report.c.seq)
        .limit(FACTS)
    )
    graded = [
        (
            IncidentReport.model_validate(document),
            Grade.parse(f"{source}{information}"),
        )
        for document, source, information in rows
    ]
    lowered = approved_downgrades(connection, incident_id)
    graded = [
        (each.model_copy(update={"marking": lowered.get(each.id, each.marking)}), grade)
        for each, grade in graded
    ]
    graded.sort(key=lambda each: each[0].window())
    return EwnFacts(
        timeline=tuple(_fact(each, grade) for each, grade in graded),
        indicators=_indicators(graded),
        inputs=tuple(each.id for each, _ in graded),
    )


def approved_downgrades(connection: Connection, incident_id: str) -> dict[str, Marking]:
    """Report id to the lower marking that two people agreed on; the newest counts."""
    approved = set(
        connection.scalars(
            select(decision.c.detail["digest"].as_string()).where(
                decision.c.incident_id == incident_id,
                decision.c.command == f"{Gate.DOWNGRADE}-approved",
            )
        )
    )
    return {
        found.document["report"]: Marking.model_validate(found.document["marking"])
        for found in casefile.all_artefacts(connection, incident_id, "downgrade")
        if found.digest in approved
    }


def _fact(each: IncidentReport, grade: Grade) -> Fact:
    earliest, latest = each.window()
    return Fact(
        text=each.title,
        earliest=earliest.astimezone(UTC),
        latest=latest.astimezone(UTC),
        grade=grade,
        provider=each.reporter.name,
        own=each.group is SourceGroup.OSINT,
        marking=each.marking,
        personal_data=any(a.kind == "person" and not a.value.isdigit() for a in each.affected),
    )


def _indicators(graded: list[tuple[IncidentReport, Grade]]) -> tuple[IndicatorLine, ...]:
    lines: dict[tuple[str, str], IndicatorLine] = {}
    until = datetime.now(UTC) + INDICATOR_LIFE
    for each, grade in graded:
        for found in each.indicators:
            if found.type in MOST_TELLING:
                lines.setdefault(
                    (found.type, found.value),
                    IndicatorLine(
                        type=found.type,
                        value=found.value,
                        first_seen=found.first_seen,
                        last_seen=found.last_seen,
                        valid_until=until,
                        grade=grade,
                        provider=each.reporter.name,
                        own=each.group is SourceGroup.OSINT,
                        marking=each.marking,
                        personal_data=found.type is IndicatorType.EMAIL,
                    ),
                )
    ordered = sorted(lines, key=lambda key: MOST_TELLING.index(IndicatorType(key[0])))
    return tuple(lines[key] for key in ordered[:INDICATORS])
