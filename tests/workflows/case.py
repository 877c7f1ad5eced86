"""A case in the database, for tests that need no workflow: assessed, with an officer who drafts."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from activities.assessments import AssessmentActivities, AssessmentOrder
from infra import casefile
from infra.casefile import Artefact
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.settings import Settings
from intake.records import RawRecord
from intake.store import Store
from protocol.parties import ANONYMOUS, SourceGroup
from tests.e2e.support import numbered_report
from tests.workflows import cast
from workflows.drafting import Drafting

PROFILE = Settings().profile()


def assessed_incident(database: Database) -> str:
    """A detected and assessed incident with three reports; its id."""
    store = Store(database, PROFILE, exercise=True, telling=lambda _: True)
    records = [
        RawRecord(
            topic="leerp.intake.law-enforcement.v1",
            partition=0,
            offset=number,
            group=SourceGroup.LAW_ENFORCEMENT,
            principal=ANONYMOUS,
            headers={},
            body=numbered_report("draft", number),
            received_at=datetime.now(UTC),
        )
        for number in range(3)
    ]
    preparer = store.preparer(IntakeSettings())
    settled = store.settle([(r, preparer.read(r)) for r in records], source="test")
    (incident_id,) = settled.incidents
    AssessmentActivities(database).assess_incident(
        AssessmentOrder(incident_id=incident_id, profile=PROFILE)
    )
    return incident_id


def drafting_of(database: Database, officer: str = cast.DUTY) -> Drafting:
    return Drafting(database, PROFILE, exercise=True, officer=officer, channel="test")


def decided(database: Database, draft: Artefact, command: str) -> None:
    """As the workflow writes it down when people have decided on a draft."""
    with database.write() as connection:
        casefile.record_decision(
            connection,
            command_id=uuid.uuid4().hex,
            incident_id=draft.incident_id,
            command=command,
            officer=cast.SECOND,
            organisation="EC3",
            detail={"digest": draft.digest},
        )
