"""What officers do before and beside the gates: detect, grade, state findings, assess.

These are rows of the database, not commands of a workflow: a cluster under triage has no workflow
yet. The relay tells the workflow, where there is one, that its rows changed.
Source: R7, R10 to R12, R15 to R17; domain 2.1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection

from activities.evidence import load_findings
from infra import casefile
from infra.casefile import Artefact
from infra.database import Database
from notifications.authority import Attempt, acting
from protocol.errors import NotFound, Refused
from protocol.grades import Grade
from protocol.parties import Role
from protocol.profile import Profile
from workflows.bulk_grading import BulkGrading, Change, Selection
from workflows.grading import Grading, require_in_force
from workflows.open_incident import opened, require_workable
from workflows.statements import with_statement
from workflows.threat_assessment import complete_threat_assessment, what_is_known


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

    def grade(
        self,
        incident_id: str,
        report_id: str,
        grade: Grade,
        *,
        reason: str,
        by: Collection[str] = (),
    ) -> None:
        """Give a report of the incident the centre's grade (R11), see ``Grading.grade``.

        Raises:
            NotFound: the incident has no such report.
            Refused: ``provider-graded``, the view is recorded as a proposal and the provider's grade
                stands (domain 2.1, E3).
        """
        graded = Grading(
            self._database,
            self._profile.correlation,
            officer=self._officer,
            channel=self._channel,
        ).grade(report_id, grade, reason=reason, by=by, incident_id=incident_id)
        require_in_force(graded)

    def grade_source(
        self, incident_id: str, reporter: str, grade: Grade, *, reason: str
    ) -> tuple[str, ...]:
        """Grade all reports of one reporter in an incident that no provider graded; return their ids.

        Raises:
            NotFound: the incident has no such report.
            Refused: as ``BulkGrading.carry_out``.
        """
        bulk = BulkGrading(self._database, officer=self._officer, channel=self._channel)
        done = bulk.carry_out(
            Selection(reporter=reporter, incident_id=incident_id),
            Change(letter=grade.source, digit=grade.information),
            reason=reason,
        )
        if not done.reports and not done.unchanged:
            raise NotFound(f"{incident_id} has no report of {reporter!r} left to grade")
        return done.reports

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
        """Complete the Initial Threat Assessment of what is known now (R16, R17).

        Raises:
            NotFound: nothing is assessed yet.
            Refused: steps of R11 to R15 or the text are missing, and the message names each with
                what to do; or ``bad-input``.
        """
        with self._open(incident_id, "assess"):
            pass  # who may not do it is refused before thousands of reports are read
        with self._database.read() as connection:  # and nobody who writes waits for that
            known = what_is_known(connection, incident_id, self._profile)
        with self._open(incident_id, "assess") as connection:
            return complete_threat_assessment(
                connection,
                self._attempt(incident_id, "assess"),
                known,
                situation=situation,
                profile=self._profile,
            )

    def _open(self, incident_id: str, command: str) -> AbstractContextManager[Connection]:
        return opened(self._database, self._attempt(incident_id, command))

    def _attempt(self, incident_id: str, command: str) -> Attempt:
        return Attempt(
            officer=self._officer, command=command, subject=incident_id, channel=self._channel
        )
