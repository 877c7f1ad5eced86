"""One incident in a database, for tests that need no workflow: reports come ungraded, assessed at will."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from activities.assessments import AssessmentActivities, AssessmentOrder, AssessmentSummary
from infra import audit, taskbook
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.tables import report
from infra.taskbook import Task
from intake.records import RawRecord
from intake.store import Store
from notifications.directory_import import import_directory
from protocol.grades import Grade
from protocol.parties import ANONYMOUS, SourceGroup
from tests.e2e.support import numbered_report
from tests.workflows import cast
from tests.workflows.case import PROFILE
from workflows.casework import Casework
from workflows.taskwork import Taskwork

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
B2 = Grade.parse("B2")


class Case:
    """One incident in the database, assessed when the test says so; reports come ungraded."""

    def __init__(self, database: Database) -> None:
        import_directory(database, cast.directory(), by="test")
        self.database = database
        self.incident = ""
        self._offset = 0

    def receive(self, number: int, **changes: Any) -> str:
        """A report without a grade of its provider; its id."""
        document = {**json.loads(numbered_report("case", number)), "evaluation": None, **changes}
        store = Store(self.database, PROFILE, exercise=True, telling=lambda _: True)
        record = RawRecord(
            topic="leerp.intake.law-enforcement.v1",
            partition=0,
            offset=self._offset,
            group=SourceGroup.LAW_ENFORCEMENT,
            principal=ANONYMOUS,
            headers={},
            body=json.dumps(document).encode(),
            received_at=datetime.now(UTC),
        )
        self._offset += 1
        settled = store.settle(
            [(record, store.preparer(IntakeSettings()).read(record))], source="test"
        )
        (self.incident,) = settled.incidents
        with self.database.read() as connection:
            found = connection.scalar(select(report.c.id).order_by(report.c.seq.desc()).limit(1))
        return str(found)

    def assess(self, *, minutes: int = 0, verify: bool = True) -> AssessmentSummary:
        return AssessmentActivities(self.database).assess_incident(
            AssessmentOrder(
                incident_id=self.incident,
                profile=PROFILE,
                at=NOON + timedelta(minutes=minutes),
                verify=verify,
            )
        )

    def grade(self, report_id: str, grade: Grade = B2) -> None:
        Casework(self.database, PROFILE, officer=cast.DUTY, channel="test").grade(
            self.incident, report_id, grade, reason="called them"
        )

    def hands(self, officer: str = cast.DUTY) -> Taskwork:
        return Taskwork(self.database, officer=officer, channel="test")

    def tasks(self) -> list[Task]:
        with self.database.read() as connection:
            return taskbook.tasks_of(connection, self.incident)

    def open_subjects(self) -> list[str]:
        return [each.subject for each in self.tasks() if each.closed_at is None]

    def audited(self, event: str) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            assert audit.verify(connection).verified
            return [row for row in audit.export(connection) if row["event"] == event]
