"""How an officer grades one report, and how the provider's agreement to another view is kept.

What the provider graded stands: a differing view is a proposal, which takes effect only with the
provider's agreement. Source: Regulation (EU) 2016/794 Art. 29(3), (4), (6); domain 2.1; R11, R12.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from infra import audit
from infra.database import Database
from infra.tables import evaluation, report
from infra.tables_grading import provider_answer
from notifications.authority import WORKING, Attempt, acting, attempted
from protocol.errors import NotFound, Refused
from protocol.grades import Grade
from protocol.profile import CorrelationRules
from protocol.reasons import stated_reason
from protocol.report import clean_text
from workflows.bearing_out import bearing_out
from workflows.evaluations import (
    NO_REASON,
    Kind,
    NewEvaluation,
    add_evaluations,
    newest_of_kind,
    tell_detected,
)
from workflows.open_incident import require_workable
from workflows.proposals import Answer, Way

LONGEST_PERSON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What became of an officer's grade; a proposal is not in force."""

    report_id: str
    incident_id: str
    grade: Grade
    in_force: bool


class Grading:
    """Grades of one officer, over one channel. Every act is one transaction with its audit row.

    All methods raise ``NotFound`` (no such report) and ``Refused`` (``unknown-officer``,
    ``wrong-role``, ``incident-merged``, ``incident-ended``, ``no-reason``, ``bad-reason``), besides
    what they name themselves.
    """

    def __init__(
        self, database: Database, rules: CorrelationRules, *, officer: str, channel: str
    ) -> None:
        self._database = database
        self._rules = rules
        self._officer = officer
        self._channel = channel

    def grade(
        self,
        report_id: str,
        grade: Grade,
        *,
        reason: str,
        by: Collection[str] = (),
        incident_id: str | None = None,
    ) -> Graded:
        """Grade a report, of ``incident_id`` where that is given, for the centre.

        Where the provider graded it, the view is kept as a proposal instead; a newer one takes the
        place of one that waits. Digit 3 needs ``by``, the ids of independent reports.

        Raises:
            Refused: ``same-grade``, the provider says so too; and as ``bearing_out``.
        """
        with self._attempted("grade", incident_id or report_id) as connection:
            row = _find(connection, report_id, incident_id)
            why = stated_reason(reason, missing=NO_REASON)
            ids = bearing_out(connection, report_id, grade, by, self._rules)
            if row.provider_graded and str(grade) == _grade_of(row):
                raise Refused("same-grade", f"{grade} is the provider's own grade of {report_id}")
            kind = Kind.PROPOSAL if row.provider_graded else Kind.CENTRE
            made = NewEvaluation(report_id=report_id, kind=kind, grade=grade, corroborated_by=ids)
            self._write(connection, row, made, reason=why)
        return Graded(
            report_id=report_id,
            incident_id=row.incident_id,
            grade=grade,
            in_force=kind is Kind.CENTRE,
        )

    def answer(
        self,
        report_id: str,
        answer: Answer,
        *,
        person: str,
        way: Way,
        reason: str,
        answered_at: datetime | None = None,
    ) -> Graded:
        """Put down what the provider says to the proposal that waits; agreement puts it in force.

        ``person`` is who said so for the provider, ``answered_at`` when, now by default. What a
        proposal of digit 3 rests on must still be in force.

        Raises:
            NotFound: no proposal waits.
            Refused: ``no-person``, ``bad-time`` (in the future or before the proposal), or as
                ``bearing_out``.
        """
        now = datetime.now(UTC)
        said_at = answered_at or now
        with self._attempted("answer a proposal", report_id) as connection:
            row = _find(connection, report_id, None)
            why, who = stated_reason(reason, missing=NO_REASON), _person(person)
            proposal = waiting_proposal(connection, report_id)
            _check_time(said_at, proposal.at, now)
            grade = Grade.parse(_grade_of(proposal))
            said = {"answer": answer, "person": who, "way": way, "answered_at": said_at}
            connection.execute(
                insert(provider_answer).values(
                    proposal=proposal.id,
                    report_id=report_id,
                    by=self._officer,
                    at=now,
                    reason=why,
                    **said,
                )
            )
            if answer is Answer.AGREED:
                self._agree(connection, row, proposal, reason=why)
            else:
                self._note(connection, "proposal_refused", row, grade)
        return Graded(
            report_id=report_id,
            incident_id=row.incident_id,
            grade=grade,
            in_force=answer is Answer.AGREED,
        )

    def _agree(
        self, connection: Connection, row: Row[Any], proposal: Row[Any], *, reason: str
    ) -> None:
        grade = Grade.parse(_grade_of(proposal))
        ids = bearing_out(connection, row.id, grade, proposal.corroborated_by or (), self._rules)
        made = NewEvaluation(report_id=row.id, kind=Kind.AGREED, grade=grade, corroborated_by=ids)
        self._write(connection, row, made, reason=reason)

    def _write(
        self, connection: Connection, row: Row[Any], made: NewEvaluation, *, reason: str
    ) -> None:
        add_evaluations(connection, [made], by=self._officer, reason=reason)
        self._note(connection, _EVENTS[made.kind], row, made.grade, made.corroborated_by)
        if made.kind is not Kind.PROPOSAL:
            tell_detected(connection, {row.incident_id})

    def _note(
        self,
        connection: Connection,
        event: str,
        row: Row[Any],
        grade: Grade,
        ids: tuple[str, ...] = (),
    ) -> None:
        audit.append(
            connection,
            event,
            actor=self._officer,
            subject=row.id,
            channel=self._channel,
            before=_grade_of(row),
            grade=str(grade),
            **({"corroborated_by": list(ids)} if ids else {}),
        )

    @contextmanager
    def _attempted(self, command: str, subject: str) -> Iterator[Connection]:
        attempt = Attempt(
            officer=self._officer, command=command, subject=subject, channel=self._channel
        )
        with attempted(self._database, attempt) as connection:
            acting(connection, self._officer, WORKING, command)
            yield connection


def require_in_force(graded: Graded) -> None:
    """Pass only a grade that holds.

    Raises:
        Refused: ``provider-graded``, it waits as a proposal.
    """
    if not graded.in_force:
        raise Refused(
            "provider-graded",
            f"the provider graded {graded.report_id} and that stands (Art. 29(3)): your view is "
            "recorded as a proposal; put down what the provider says to it with "
            f"'leerp reports answer {graded.report_id}'",
        )


_EVENTS = {
    Kind.CENTRE: "report_graded",
    Kind.PROPOSAL: "grade_proposed",
    Kind.AGREED: "proposal_agreed",
}


def waiting_proposal(connection: Connection, report_id: str) -> Row[Any]:
    """The newest proposal for a report, where the provider has not answered it.

    Raises:
        NotFound: none waits.
    """
    newest = newest_of_kind(connection, report_id, Kind.PROPOSAL)
    row = connection.execute(
        select(evaluation)
        .outerjoin(provider_answer, provider_answer.c.proposal == evaluation.c.id)
        .where(evaluation.c.id == newest, provider_answer.c.proposal.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"no proposal for {report_id} waits for its provider: see 'leerp reports proposals'"
        )
    return row


def _find(connection: Connection, report_id: str, incident_id: str | None) -> Any:
    """The report, locked, in an incident that may be worked on."""
    if incident_id is not None:
        require_workable(connection, incident_id)
    row = connection.execute(
        select(
            report.c.id,
            report.c.incident_id,
            report.c.source_grade,
            report.c.information_grade,
            report.c.provider_graded,
        )
        .where(report.c.id == report_id)
        .with_for_update()
    ).one_or_none()
    if row is None or incident_id not in {None, row.incident_id}:
        where, hint = (
            (f"{incident_id} has", f" --incident {incident_id}")
            if incident_id
            else ("there is", "")
        )
        raise NotFound(f"{where} no report {report_id}: see 'leerp reports list{hint}'")
    require_workable(connection, row.incident_id)
    return row


def _check_time(said_at: datetime, proposed_at: datetime, now: datetime) -> None:
    """People give minutes, so the minute of the proposal is early enough."""
    if not proposed_at.replace(second=0, microsecond=0) <= said_at <= now:
        raise Refused(
            "bad-time",
            f"the answer lies after the proposal of {proposed_at:%Y-%m-%d %H:%M} UTC and not in "
            "the future",
        )


def _grade_of(row: Row[Any]) -> str:
    return f"{row.source_grade}{row.information_grade}"


def _person(text: str) -> str:
    try:
        cleaned = clean_text(text.strip())
    except ValueError as exc:
        raise Refused("no-person", f"the name cannot be kept: {exc}") from None
    if not 0 < len(cleaned) <= LONGEST_PERSON:
        raise Refused(
            "no-person",
            f"say who answered for the provider, in at most {LONGEST_PERSON} characters",
        )
    return cleaned
