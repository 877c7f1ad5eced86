"""What officers do before and beside the gates: detect, grade, state findings, assess.

These are rows of the database, not commands of a workflow: a cluster under triage has no workflow
yet. The relay tells the workflow, where there is one, that its rows changed.
Source: R7, R10 to R12, R15 to R17; domain 2.1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from activities.evidence import load_findings
from classification.assessment import Assessment
from classification.initial import initial_threat_assessment
from infra import audit, casefile
from infra.casefile import Artefact
from infra.database import Database
from infra.originals import documents
from infra.tables import evaluation, report
from notifications.authority import Attempt, acting
from notifications.directory import Directory
from notifications.locks import PermissionKind
from notifications.permissions import record_permission
from protocol.errors import NotFound, Refused
from protocol.grades import Grade, InformationAccuracy
from protocol.parties import Role
from protocol.profile import Profile
from workflows.open_incident import opened, require_workable
from workflows.statements import with_statement


class Casework:
    """Desk work of one officer, over one channel. Every act is one transaction with its audit row.

    All methods raise ``Refused`` (``unknown-officer``, ``wrong-role``, ``incident-merged``,
    ``incident-ended``) and ``NotFound`` (no such incident), besides what they name themselves.
    """

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
        with self._open(incident_id, "detect") as connection:
            status = require_workable(connection, incident_id)
            if status != "triage":
                raise Refused("not-in-triage", f"{incident_id} is {status}, not under triage")
            if not reason.strip():
                raise Refused("no-reason", "an officer's word needs its reason")
            casefile.mark_detected(
                connection, incident_id, by=self._officer, channel=self._channel, reason=reason
            )
            casefile.tell(connection, "incident", incident_id)

    def grade(self, incident_id: str, report_id: str, grade: Grade, *, reason: str) -> None:
        """Give a report of the incident the centre's grade (R11).

        A provider's own grade is not changed: a differing view becomes a proposal that waits for the
        provider's agreement (domain 2.1, E3).

        Raises:
            NotFound: the incident has no such report.
            Refused: ``provider-graded`` (the proposal is recorded), ``no-reason`` or ``wrong-role``;
                digit 3 needs the ids of independent items, which one report alone cannot give.
        """
        with self._open(incident_id, "grade") as connection:
            row = connection.execute(
                select(report.c.provider_graded).where(
                    report.c.id == report_id, report.c.incident_id == incident_id
                )
            ).one_or_none()
            if row is None:
                raise NotFound(
                    f"{incident_id} has no report {report_id}: see "
                    f"'leerp reports list --incident {incident_id}'"
                )
            self._check_grade(grade, reason)
            provided = row.provider_graded
            self._add_evaluation(
                connection, report_id, grade, reason, kind="proposal" if provided else "centre"
            )
            if not provided:
                self._put_in_force(connection, incident_id, [report_id], grade)
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
        with self._open(incident_id, "grade") as connection:
            self._check_grade(grade, reason)
            rows = connection.execute(
                select(report.c.seq, report.c.id).where(
                    report.c.incident_id == incident_id, ~report.c.provider_graded
                )
            )
            ungraded = {row.seq: row.id for row in rows}
            mine = [
                ungraded[seq]
                for seq, document in documents(connection, ungraded)
                if document["reporter"]["name"] == reporter
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
            Refused: ``bad-finding``, naming the field, or ``wrong-role``: only the launch role sets
                the rules aside with an ``override``.
        """
        with self._open(incident_id, "state") as connection:
            if "override" in statement:
                acting(connection, self._officer, frozenset({Role.LAUNCH}), "an override")
            findings = with_statement(
                load_findings(connection, incident_id), statement, self._officer
            )
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
        with self._open(incident_id, "assess") as connection:
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

    def permit(
        self,
        incident_id: str,
        kind: PermissionKind,
        *,
        provider: str,
        recipients: Collection[str],
        evidence: str,
        lasting: timedelta,
    ) -> datetime:
        """Record a provider's permission for recipients, by id or class; return when it ends.

        The locks take it into account from now on (domain 4.4).

        Raises:
            Refused: ``unknown-recipient``, naming what is neither id nor class of the directory, or
                ``bad-permission``.
        """
        now = datetime.now(UTC)
        with self._open(incident_id, "permit") as connection:
            known = Directory.load(connection)
            classes = {str(each.recipient_class) for each in known.recipients}
            if unknown := sorted(set(recipients) - known.by_id().keys() - classes):
                raise Refused(
                    "unknown-recipient",
                    f"neither id nor class of a recipient: {', '.join(unknown)}; "
                    "see 'leerp directory list'",
                )
            record_permission(
                connection,
                incident_id=incident_id,
                kind=kind,
                provider=provider,
                recipients=recipients,
                evidence=evidence,
                by=self._officer,
                given_at=now,
                expires_at=now + lasting,
                channel=self._channel,
            )
        return now + lasting

    def _open(self, incident_id: str, command: str) -> AbstractContextManager[Connection]:
        return opened(
            self._database,
            Attempt(
                officer=self._officer, command=command, subject=incident_id, channel=self._channel
            ),
        )

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
        if require_workable(connection, incident_id) == "detected":
            casefile.tell(connection, "incident", incident_id)
