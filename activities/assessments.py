"""Stage II's reading of the reports, as an activity. External system: the database.

The workflow gets a summary with ids and codes; report bodies stay where they are.
"""

from __future__ import annotations

from temporalio import activity

from activities.evidence import load_evidence, load_findings
from classification.assessment import assess
from infra import casefile
from infra.database import Database
from infra.payload import Payload
from protocol.profile import Profile
from protocol.stages import Recommendation


class AssessmentOrder(Payload):
    """Assess the incident as it stands, under the profile that it started with."""

    incident_id: str
    profile: Profile


class AssessmentSummary(Payload):
    """What the workflow needs of an assessment; the whole is the artefact ``assessment``."""

    version: int
    digest: str
    threat_class: str
    recommendation: Recommendation


class AssessmentActivities:
    """Assessing is a pure function of the stored evidence and findings; built once per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    def assess_incident(self, order: AssessmentOrder) -> AssessmentSummary:
        """Store a new version only when the result differs, so a repeat is harmless."""
        with self._database.read() as connection:
            evidence = load_evidence(connection, order.incident_id)
            findings = load_findings(connection, order.incident_id)
        result = assess(evidence, findings, order.profile)
        document = result.model_dump(mode="json")
        with self._database.write() as connection:
            newest = casefile.find_artefact(connection, order.incident_id, "assessment")
            if newest is None or newest.document != document:
                newest = casefile.add_artefact(
                    connection,
                    order.incident_id,
                    "assessment",
                    document,
                    by="classification",
                    channel="workflow",
                )
        return AssessmentSummary(
            version=newest.version,
            digest=newest.digest,
            threat_class=result.threat_class,
            recommendation=result.recommendation,
        )
