"""Stage II's reading of the reports, as an activity. External system: the database.

The workflow gets a summary with ids and codes; report bodies stay where they are.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import AwareDatetime
from sqlalchemy import Connection
from temporalio import activity

from activities.basis import Basis, read_basis, save_basis
from activities.evidence import load_evidence, load_findings
from activities.reassessment import HELD, note_change, settle_verifications
from classification.assessment import Assessment, assess
from classification.verification import Verification, verifications
from infra import casefile, taskbook
from infra.casefile import Artefact
from infra.database import Database
from infra.payload import Payload
from protocol.profile import Profile
from protocol.stages import Recommendation


class AssessmentOrder(Payload):
    """Assess the incident as it stands, under the profile that it started with."""

    incident_id: str
    profile: Profile
    at: AwareDatetime | None = None
    """The workflow's time, from which tasks are timed; our own clock's where no workflow asks."""
    verify: bool = True
    """Whether a launch that is held gives rise to tasks; not once it is decided for good."""


class AssessmentSummary(Payload):
    """What the workflow needs of an assessment; the whole is the artefact ``assessment``."""

    version: int
    digest: str
    threat_class: str
    recommendation: Recommendation
    tasks_due: AwareDatetime | None = None
    """When the first open task falls due that is not overdue yet."""


class AssessmentActivities:
    """Assessing is a pure function of the stored evidence and findings; built once per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    def assess_incident(self, order: AssessmentOrder) -> AssessmentSummary:
        """Store a new version only when the result differs, so a repeat is harmless.

        Another recommendation is an event of its own, and a launch that is held gives people tasks.
        """
        with self._database.read() as connection:
            evidence = load_evidence(connection, order.incident_id)
            findings = load_findings(connection, order.incident_id)
            basis = read_basis(connection, order.incident_id)
        result = assess(evidence, findings, order.profile)
        held = result.recommendation is HELD and order.verify
        wanted = verifications(evidence, findings, order.profile) if held else ()
        with self._database.write() as connection:
            return _store(connection, order, result, basis, wanted)


def _store(
    connection: Connection,
    order: AssessmentOrder,
    result: Assessment,
    basis: Basis,
    wanted: tuple[Verification, ...],
) -> AssessmentSummary:
    before = casefile.find_artefact(connection, order.incident_id, "assessment")
    newest = _newest(connection, order.incident_id, before, result, basis)
    settle_verifications(
        connection,
        order.incident_id,
        result,
        wanted,
        asked=order.verify,
        anew=before is None or before.document["recommendation"] != HELD,
        at=order.at or datetime.now(UTC),
        within=order.profile.reassessment.verify_within,
    )
    return AssessmentSummary(
        version=newest.version,
        digest=newest.digest,
        threat_class=result.threat_class,
        recommendation=result.recommendation,
        tasks_due=taskbook.next_due(connection, order.incident_id),
    )


def _newest(
    connection: Connection,
    incident_id: str,
    before: Artefact | None,
    result: Assessment,
    basis: Basis,
) -> Artefact:
    document = result.model_dump(mode="json")
    if before is not None and before.document == document:
        return before
    made = casefile.add_artefact(
        connection, incident_id, "assessment", document, by="classification", channel="workflow"
    )
    save_basis(connection, incident_id, made.version, basis)
    note_change(connection, incident_id, before, made)
    return made
