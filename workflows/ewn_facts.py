"""The graded facts and indicators that an Early Warning Notification starts from (R29)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import Connection, select

from infra.originals import documents
from infra.tables import report
from notifications.ewn_sections import Fact, IndicatorLine
from protocol.grades import Grade
from protocol.parties import SourceGroup
from protocol.report import IncidentReport, Indicator, IndicatorType
from workflows.decided import approved_downgrades

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
    left_out: tuple[str, ...]
    """Ids of reports, and ``<report>/indicator-<n>`` (n from 1), that no warning can be made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Graded:
    """A report under its grade and the marking in force."""

    report: IncidentReport
    grade: Grade
    lowered: str | None
    """Its id, where its marking is lower than its provider stated."""


def ewn_facts(connection: Connection, incident_id: str) -> EwnFacts:
    """Take the best-graded reports, earliest first, with each report's own marking and grade.

    What does not fit into a warning is left out and named: one odd report must not hold up the rest.
    """
    rows = connection.execute(
        select(report.c.seq, report.c.source_grade, report.c.information_grade)
        .where(report.c.incident_id == incident_id)
        .order_by(report.c.source_grade, report.c.information_grade, report.c.seq)
        .limit(FACTS)
    ).all()
    said = dict(documents(connection, [row.seq for row in rows]))
    lowered = approved_downgrades(connection, incident_id)
    told: list[tuple[_Graded, Fact]] = []
    left_out: list[str] = []
    for seq, source, information in rows:
        document = said[seq]
        try:
            read = IncidentReport.model_validate(document)
            marked = read.model_copy(update={"marking": lowered.get(read.id, read.marking)})
            graded = _Graded(
                report=marked,
                grade=Grade.parse(f"{source}{information}"),
                lowered=read.id if read.id in lowered else None,
            )
            told.append((graded, _fact(graded)))
        except (ValidationError, OverflowError):
            left_out.append(document["id"])
    told.sort(key=lambda each: (each[1].earliest, each[1].latest))
    indicators, unfit = _indicators([graded for graded, _ in told])
    return EwnFacts(
        timeline=tuple(fact for _, fact in told),
        indicators=indicators,
        inputs=tuple(graded.report.id for graded, _ in told),
        left_out=(*left_out, *unfit),
    )


def _fact(each: _Graded) -> Fact:
    told = each.report
    earliest, latest = told.window()
    return Fact(
        text=told.title,
        earliest=earliest.astimezone(UTC),
        latest=latest.astimezone(UTC),
        grade=each.grade,
        provider=told.reporter.name,
        own=told.group is SourceGroup.OSINT,
        marking=told.marking,
        personal_data=any(a.kind == "person" and not a.value.isdigit() for a in told.affected),
        lowered=each.lowered,
    )


def _indicators(graded: list[_Graded]) -> tuple[tuple[IndicatorLine, ...], list[str]]:
    """The most telling indicators, each once; and the ids of those that cannot be written down."""
    lines: dict[tuple[str, str], IndicatorLine] = {}
    unfit = []
    until = datetime.now(UTC) + INDICATOR_LIFE
    for each in graded:
        for number, found in enumerate(each.report.indicators, 1):
            if found.type not in MOST_TELLING or (found.type, found.value) in lines:
                continue
            try:
                lines[found.type, found.value] = _line(each, found, until)
            except (ValidationError, OverflowError):
                unfit.append(f"{each.report.id}/indicator-{number}")
    ordered = sorted(lines, key=lambda key: MOST_TELLING.index(IndicatorType(key[0])))
    return tuple(lines[key] for key in ordered[:INDICATORS]), unfit


def _line(each: _Graded, found: Indicator, until: datetime) -> IndicatorLine:
    return IndicatorLine(
        type=found.type,
        value=found.value,
        first_seen=_utc(found.first_seen),
        last_seen=_utc(found.last_seen),
        valid_until=until,
        grade=each.grade,
        provider=each.report.reporter.name,
        own=each.report.group is SourceGroup.OSINT,
        marking=each.report.marking,
        personal_data=found.type is IndicatorType.EMAIL,
        lowered=each.lowered,
    )


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
