"""A case in the database, for tests that need no workflow: assessed, with an officer who drafts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import structs
from sqlalchemy import delete, select

from activities.assessments import AssessmentActivities, AssessmentOrder
from infra import casefile
from infra.bulk import Bulk
from infra.casefile import Artefact
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.originals import ORIGINALS
from infra.settings import Settings
from infra.tables import report
from infra.tables_blocks import report_block
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


def change_original(
    database: Database, report_id: str, *, of_grade: Mapping[str, str] | None = None, **changes: Any
) -> None:
    """Alter what a report came in with: fields of its document, and what is kept of its first grade."""
    with database.write() as connection:
        numbers = {row.seq: row.id for row in connection.execute(select(report))}
        originals = []
        for seq, original in ORIGINALS.read(connection, numbers):
            if numbers[seq] != report_id:
                originals.append(original)
                continue
            document = json.dumps({**json.loads(original.document), **changes})
            originals.append(structs.replace(original, document=document, **(of_grade or {})))
        connection.execute(delete(report_block))
        ORIGINALS.add(Bulk(connection), originals, at=Bulk(connection).time(datetime.now(UTC)))


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
