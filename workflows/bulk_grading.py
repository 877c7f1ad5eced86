"""Grading all reports of a source: counted first, then written in parts that hold nobody up.

Each part is one transaction with its evaluations, its audit row and one word for each incident, so
an act that was cut off leaves whole parts and may simply be given again. What a provider graded, and
what is in a closed incident, stays as it is. Source: domain 2.1; R11, R12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from infra import audit
from infra.database import Database
from infra.originals import documents
from infra.tables import evaluation, incident, report
from notifications.authority import WORKING, Attempt, acting, attempted
from protocol.errors import NotFound, Refused
from protocol.grades import Grade, InformationAccuracy, SourceReliability
from protocol.parties import ANONYMOUS
from protocol.reasons import stated_reason
from workflows.evaluations import (
    CHUNK,
    NO_REASON,
    Kind,
    NewEvaluation,
    add_evaluations,
    chunks,
    tell_detected,
)
from workflows.open_incident import require_workable

COMMAND = "grade a source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which reports: of a registered source, or of a name that reports give, or those of one incident.

    A name is no identity, so that it is only taken within an incident.
    """

    source: str = ""
    reporter: str = ""
    incident_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What they get. Without a digit each keeps its own, and corroboration goes on tending it."""

    letter: SourceReliability
    digit: InformationAccuracy | None = None

    def of(self, before: Grade) -> Grade:
        """The grade of a report that had ``before``."""
        return Grade(source=self.letter, information=self.digit or before.information)

    def __str__(self) -> str:
        return f"{self.letter}{self.digit or '*'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a change would do."""

    change: Change
    reports: tuple[str, ...] = ()
    """Those that would change, by incident and arrival."""
    by_incident: Mapping[str, int] = field(default_factory=dict)
    before: Mapping[str, int] = field(default_factory=dict)
    """How many of them have which grade now."""
    unchanged: int = 0
    """Have the grade already."""
    provider_graded: int = 0
    """Stand as their provider graded them."""
    closed: int = 0
    """Are in incidents that have ended."""

    @property
    def found(self) -> int:
        """All that were looked at."""
        return len(self.reports) + self.unchanged + self.provider_graded + self.closed


class BulkGrading:
    """Bulk grades of one officer, over one channel."""

    def __init__(
        self, database: Database, *, officer: str, channel: str, chunk: int = CHUNK
    ) -> None:
        self._database = database
        self._officer = officer
        self._channel = channel
        self._chunk = chunk

    def plan(self, which: Selection, change: Change) -> Plan:
        """Count what ``carry_out`` would change; nothing is written.

        Raises:
            NotFound: no such incident, or no report of the source.
            Refused: ``no-source``, nobody in particular is named; ``needs-corroboration``, digit 3
                goes by one report at a time; ``incident-merged`` or ``incident-ended``.
        """
        condition = _condition(which)
        _check(change)
        with self._database.read() as connection:
            if which.incident_id:
                require_workable(connection, which.incident_id)
            rows = _rows(connection, condition)
            if which.reporter:
                rows = _of_reporter(connection, rows, which.reporter)
            plan = _sorted_out(rows, change)
        if not plan.found:
            raise NotFound(_nothing(which))
        return plan

    def carry_out(self, which: Selection, change: Change, *, reason: str) -> Plan:
        """Grade them; the plan that comes back holds what was done.

        Raises:
            As ``plan``, and Refused: ``unknown-officer``, ``wrong-role``, ``no-reason``,
            ``bad-reason``.
        """
        subject = which.incident_id or which.source
        attempt = Attempt(
            officer=self._officer, command=COMMAND, subject=subject, channel=self._channel
        )
        with attempted(self._database, attempt) as connection:
            acting(connection, self._officer, WORKING, COMMAND)
            why = stated_reason(reason, missing=NO_REASON)
        plan = self.plan(which, change)
        done: list[str] = []
        for start in range(0, len(plan.reports), self._chunk):
            some = plan.reports[start : start + self._chunk]
            with self._database.write() as connection:
                done += self._grade(connection, some, change, subject, why)
        return Plan(
            change=change,
            reports=tuple(done),
            by_incident=plan.by_incident,
            before=plan.before,
            unchanged=plan.found - len(done) - plan.provider_graded - plan.closed,
            provider_graded=plan.provider_graded,
            closed=plan.closed,
        )

    def _grade(
        self, connection: Connection, ids: Sequence[str], change: Change, subject: str, reason: str
    ) -> list[str]:
        """Those of ``ids`` that still are to be changed; their ids."""
        condition = report.c.id.in_(ids)
        rows = [row for row in _rows(connection, condition, lock=True) if _changes(row, change)]
        if not rows:
            return []
        kept = {} if change.digit else _corroborated_by(connection, [row.id for row in rows])
        made = [
            NewEvaluation(
                report_id=row.id,
                kind=Kind.CENTRE if change.digit else Kind.LETTER,
                grade=(grade := change.of(_grade(row))),
                corroborated_by=(
                    kept.get(row.id, ())
                    if grade.information is InformationAccuracy.CORROBORATED
                    else ()
                ),
            )
            for row in rows
        ]
        add_evaluations(connection, made, by=self._officer, reason=reason)
        audit.append(
            connection,
            "reports_graded",
            actor=self._officer,
            subject=subject,
            channel=self._channel,
            grade=str(change),
            reports=[row.id for row in rows],
        )
        tell_detected(connection, {row.incident_id for row in rows})
        return [row.id for row in rows]


def _condition(which: Selection) -> ColumnElement[bool]:
    if bool(which.source) is bool(which.reporter) or which.source == ANONYMOUS:
        raise Refused(
            "no-source",
            "name one registered source, see 'leerp sources list', or with an incident a reporter",
        )
    if which.reporter and not which.incident_id:
        raise Refused(
            "no-source", "anybody may give a reporter's name: say in which incident it is meant"
        )
    if not which.source:
        return report.c.incident_id == which.incident_id
    condition = report.c.principal == which.source
    if which.incident_id:
        condition &= report.c.incident_id == which.incident_id
    return condition


def _check(change: Change) -> None:
    if change.digit is InformationAccuracy.CORROBORATED:
        raise Refused(
            "needs-corroboration",
            "digit 3 needs the ids of independent items, so that it is given to one report at a "
            "time: leerp reports grade REPORT --by ID",
        )


def _nothing(which: Selection) -> str:
    if which.incident_id:
        return f"{which.incident_id} has no report of {(which.source or which.reporter)!r}"
    return f"no report of {which.source} is stored: see 'leerp sources list'"


def _rows(
    connection: Connection, condition: ColumnElement[bool], *, lock: bool = False
) -> Sequence[Any]:
    query = (
        select(
            report.c.id,
            report.c.seq,
            report.c.incident_id,
            report.c.source_grade,
            report.c.information_grade,
            incident.c.status,
            report.c.provider_graded,
        )
        .join(incident, incident.c.id == report.c.incident_id)
        .where(condition)
        .order_by(report.c.incident_id, report.c.seq)
    )
    return connection.execute(query.with_for_update(of=report) if lock else query).all()


def _of_reporter(connection: Connection, rows: Sequence[Any], name: str) -> list[Any]:
    """Those that give this name; it stands in the documents only."""
    said = documents(connection, [row.seq for row in rows])
    mine = {seq for seq, document in said if document["reporter"]["name"] == name}
    return [row for row in rows if row.seq in mine]


def _sorted_out(rows: Sequence[Any], change: Change) -> Plan:
    changing = [row for row in rows if _changes(row, change)]
    closed = sum(1 for row in rows if row.status == "ended")
    provided = sum(1 for row in rows if row.status != "ended" and row.provider_graded)
    return Plan(
        change=change,
        reports=tuple(row.id for row in changing),
        by_incident=Counter(row.incident_id for row in changing),
        before=Counter(str(_grade(row)) for row in changing),
        unchanged=len(rows) - len(changing) - closed - provided,
        provider_graded=provided,
        closed=closed,
    )


def _changes(row: Any, change: Change) -> bool:
    before = _grade(row)
    return row.status != "ended" and not row.provider_graded and change.of(before) != before


def _corroborated_by(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What the newest corroboration of each report named."""
    found: dict[str, tuple[str, ...]] = {}
    for some in chunks(ids):
        rows = connection.execute(
            select(evaluation.c.report_id, evaluation.c.corroborated_by)
            .where(evaluation.c.report_id.in_(some), evaluation.c.corroborated_by.is_not(None))
            .order_by(evaluation.c.id)
        )
        found |= {row.report_id: tuple(row.corroborated_by) for row in rows}
    return found


def _grade(row: Any) -> Grade:
    return Grade.parse(f"{row.source_grade}{row.information_grade}")
