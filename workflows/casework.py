"""What officers do before and beside the gates: detect, grade, state findings, assess.

These are rows of the database, not commands of a workflow: a cluster under triage has no workflow
yet. The relay tells the workflow, where there is one, that its rows changed.
Source: R7, R10 to R12, R15 to R17; domain 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select, update

from activities.evidence import load_findings
from classification.assessment import Assessment
from classification.findings import Findings
from classification.initial import initial_threat_assessment
from infra import audit, casefile
from infra.casefile import Artefact
from infra.database import Database
from infra.tables import evaluation, incident, report
from notifications.directory import Officer
from notifications.directory import officer as find_officer
from protocol.errors import NotFound, Refused
from protocol.grades import Grade, InformationAccuracy
from protocol.parties import Role, SourceGroup
from protocol.profile import Profile

GRADERS = frozenset({Role.ANALYST, Role.DUTY_OFFICER, Role.LAUNCH})


class Casework:
    """Desk work of one officer, over one channel. Every act is one transaction with its audit row."""

    def __init__(self, database: Database, profile: Profile, *, officer: str, channel: str) -> None:
        self._database = database
        self._profile = profile
        self._officer = officer
        self._channel = channel

    def detect(self, incident_id: str, *, reason: str) -> None:
        """Make a cluster a detection on the officer's word (R7); the relay starts its workflow.

        Raises:
            Refused: it is no cluster under triage, or the reason is missing.
        """
        with self._database.write() as connection:
            self.acting(connection)
            status = _status(connection, incident_id)
            if status != "triage":
                raise Refused("not-in-triage", f"{incident_id} is {status}, not under triage")
            if not reason.strip():
                raise Refused("no-reason", "an officer's word needs its reason")
            casefile.mark_detected(
                connection, incident_id, by=self._officer, channel=self._channel, reason=reason
            )
            casefile.tell(connection, "incident", incident_id)

    def grade(self, report_id: str, grade: Grade, *, reason: str) -> None:
        """Give a report the centre's grade (R11).

        A provider's own grade is not changed: a differing view becomes a proposal that waits for the
        provider's agreement (domain 2.1, E3).

        Raises:
            NotFound: no such report.
            Refused: ``provider-graded`` (the proposal is recorded), ``no-reason`` or ``wrong-role``;
                digit 3 needs the ids of independent items, which one report alone cannot give.
        """
        with self._database.write() as connection:
            self.acting(connection)
            row = connection.execute(
                select(report.c.id, report.c.group, report.c.incident_id).where(
                    report.c.id == report_id
                )
            ).one_or_none()
            if row is None:
                raise NotFound(f"no report {report_id}: see 'leerp reports list'")
            self._check_grade(grade, reason)
            provided = _provider_graded(connection, report_id) and row.group != SourceGroup.OSINT
            self._add_evaluation(
                connection, report_id, grade, reason, kind="proposal" if provided else "centre"
            )
            if not provided:
                self._put_in_force(connection, row.incident_id, [report_id], grade)
        if provided:
            raise Refused(
                "provider-graded",
                f"the provider graded {report_id} and that stands (Art. 29(3)): your view is "
                "recorded as a proposal for the provider's agreement",
            )

    def grade_source(
        self, incident_id: str, reporter: str, grade: Grade, *, reason: str
    ) -> tuple[str, ...]:
        """Grade all reports of one reporter in an incident that no provider graded; return their ids.

        Raises:
            NotFound: the incident has no such report.
            Refused: as ``grade``.
        """
        with self._database.write() as connection:
            self.acting(connection)
            self._check_grade(grade, reason)
            rows = connection.execute(
                select(report.c.id, report.c.group, report.c.document).where(
                    report.c.incident_id == incident_id
                )
            )
            mine = [
                row.id
                for row in rows
                if row.document["reporter"]["name"] == reporter
                and (row.group == SourceGroup.OSINT or row.document["evaluation"] is None)
            ]
            if not mine:
                raise NotFound(f"{incident_id} has no report of {reporter!r} left to grade")
            for report_id in mine:
                self._add_evaluation(connection, report_id, grade, reason, kind="centre")
            self._put_in_force(connection, incident_id, mine, grade)
        return tuple(mine)

    def state(self, incident_id: str, statement: Mapping[str, Any]) -> Artefact:
        """Add an officer's finding (a trigger, a confirmed cause, ...) to those of the incident.

        ``statement`` has the fields of ``classification.findings.Findings``; lists are added to,
        single values replaced. The officer's id is put in by us.

        Raises:
            Refused: ``bad-finding``, naming the field.
        """
        with self._database.write() as connection:
            self.acting(connection)
            _status(connection, incident_id)
            before = load_findings(connection, incident_id).model_dump(mode="json")
            for field, value in statement.items():
                if isinstance(value, list):
                    signed = [{**item, "officer": self._officer} for item in value]
                    before[field] = [*before.get(field, []), *signed]
                else:
                    before[field] = {**value, "officer": self._officer}
            try:
                findings = Findings.model_validate(before)
            except ValidationError as exc:
                raise Refused("bad-finding", _first_problem(exc)) from exc
            made = casefile.add_artefact(
                connection,
                incident_id,
                "findings",
                findings.model_dump(mode="json"),
                by=self._officer,
                channel=self._channel,
            )
            casefile.tell(connection, "incident", incident_id)
        return made

    def complete_assessment(self, incident_id: str, *, situation: str) -> Artefact:
        """Make the Initial Threat Assessment of the newest assessment (R16, R17).

        Raises:
            NotFound: nothing is assessed yet.
            Refused: a step of R11 to R15 is missing; the message says which.
        """
        with self._database.write() as connection:
            self.acting(connection)
            newest = casefile.get_artefact(connection, incident_id, "assessment")
            completed = initial_threat_assessment(
                Assessment.model_validate(newest.document),
                situation=situation,
                officer=self._officer,
                profile=self._profile,
            )
            return casefile.add_artefact(
                connection,
                incident_id,
                "threat-assessment",
                completed.model_dump(mode="json"),
                by=self._officer,
                channel=self._channel,
            )

    def acting(self, connection: Connection) -> Officer:
        """The acting officer.

        Raises:
            NotFound: nobody of that id in the directory.
            Refused: ``wrong-role``.
        """
        acting = find_officer(connection, self._officer)
        if not GRADERS & {Role(role) for role in acting.roles}:
            raise Refused("wrong-role", f"{self._officer} may not work on reports and assessments")
        return acting

    def _check_grade(self, grade: Grade, reason: str) -> None:
        if not reason.strip():
            raise Refused("no-reason", "a grade needs its reason")
        if grade.information is InformationAccuracy.CORROBORATED:
            raise Refused(
                "needs-corroboration",
                "digit 3 is for items that independent ones corroborate, and their ids are needed; "
                "grade 2 for first-hand or 4 for uncorroborated information",
            )

    def _add_evaluation(
        self, connection: Connection, report_id: str, grade: Grade, reason: str, *, kind: str
    ) -> None:
        connection.execute(
            insert(evaluation).values(
                report_id=report_id,
                kind=kind,
                scheme="europol4x4",
                original=str(grade),
                source_grade=grade.source,
                information_grade=grade.information,
                by=self._officer,
                at=datetime.now(UTC),
                reason=reason,
            )
        )
        audit.append(
            connection,
            "report_graded" if kind == "centre" else "grade_proposed",
            actor=self._officer,
            subject=report_id,
            channel=self._channel,
            grade=str(grade),
        )

    def _put_in_force(
        self, connection: Connection, incident_id: str, report_ids: list[str], grade: Grade
    ) -> None:
        for report_id in report_ids:
            connection.execute(
                update(report)
                .where(report.c.id == report_id)
                .values(source_grade=grade.source, information_grade=grade.information)
            )
        if _status(connection, incident_id) == "detected":
            casefile.tell(connection, "incident", incident_id)


def _status(connection: Connection, incident_id: str) -> str:
    status = connection.scalar(select(incident.c.status).where(incident.c.id == incident_id))
    if status is None:
        raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
    return str(status)


def _provider_graded(connection: Connection, report_id: str) -> bool:
    return bool(
        connection.scalar(
            select(evaluation.c.id).where(
                evaluation.c.report_id == report_id, evaluation.c.kind == "provider"
            )
        )
    )


def _first_problem(exc: ValidationError) -> str:
    problem = exc.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]
