"""An officer completes the Initial Threat Assessment, and officers take it out of the house.

Both leave their row in the audit trail. It is desk work, no command of a workflow: the launch gate
takes the completed version and no other (four eyes).
Source: R1, R11 to R17.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, select

from activities.evidence import load_evidence, load_findings
from classification.assessment import Assessment, assess
from classification.initial import Completion, InitialThreatAssessment, initial_threat_assessment
from classification.sensitivity import what_would_change
from infra import audit, casefile
from infra.casefile import Artefact
from infra.database import Database
from infra.tables import incident
from infra.tables_decisions import decision
from notifications.authority import WORKING, Attempt, acting, attempted
from notifications.directory import officer as find_officer
from notifications.headers import literal
from notifications.threat_assessment import GateStep, ThreatDocument
from protocol.errors import NotFound, Refused
from protocol.profile import Profile
from protocol.wording import in_words
from workflows.assessment_basis import Basis, assessment_basis

KIND = "threat-assessment"
EXPORT = "export the threat assessment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an incident at one moment, which the document is made from."""

    basis: Basis
    assessment_version: int
    """Newest stored version of the assessment."""


def what_is_known(connection: Connection, incident_id: str, profile: Profile) -> Known:
    """Assess the incident anew together with its reports, so that both say the same.

    The launch gate compares class and recommendation with those of the workflow.

    Raises:
        NotFound: nothing is assessed yet.
    """
    newest = casefile.get_artefact(connection, incident_id, "assessment")
    stored = Assessment.model_validate(newest.document)
    evidence = load_evidence(connection, incident_id)
    findings = load_findings(connection, incident_id)
    assessed = stored
    if (stored.profile, stored.matrix) == (profile.name, profile.matrix):
        assessed = assess(evidence, findings, profile)
    changes = what_would_change(evidence, findings, profile)
    return Known(
        basis=assessment_basis(connection, incident_id, evidence, assessed, changes),
        assessment_version=newest.version,
    )


def complete_threat_assessment(
    connection: Connection, attempt: Attempt, known: Known, *, situation: str, profile: Profile
) -> Artefact:
    """Store the next version for the incident ``attempt.subject``.

    Raises:
        Refused: a step of R11 to R15 or the text is missing, and the message names each; or
            ``bad-input``.
    """
    incident_id = attempt.subject
    acts = find_officer(connection, attempt.officer)
    exercise = connection.scalar(select(incident.c.exercise).where(incident.c.id == incident_id))
    completion = Completion(
        incident_id=incident_id,
        exercise=bool(exercise),
        at=datetime.now(UTC),
        officer=acts.id,
        officer_name=literal(acts.name).strip() or acts.id,
        organisation=literal(acts.organisation).strip() or "organisation not stated",
        assessment_version=known.assessment_version,
    )
    try:
        made = initial_threat_assessment(
            known.basis.assessment,
            known.basis.what_would_change,
            known.basis.reports,
            completion,
            situation=situation,
            profile=profile,
        )
    except ValidationError as exc:
        raise Refused("bad-input", in_words(exc)) from exc
    return _stored(connection, attempt, made)


def _stored(connection: Connection, attempt: Attempt, made: InitialThreatAssessment) -> Artefact:
    stored = casefile.add_artefact(
        connection,
        attempt.subject,
        KIND,
        made.model_dump(mode="json"),
        by=attempt.officer,
        channel=attempt.channel,
    )
    audit.append(
        connection,
        "threat_assessment_completed",
        actor=attempt.officer,
        subject=attempt.subject,
        channel=attempt.channel,
        version=stored.version,
        threat_class=made.assessment.threat_class,
        recommendation=made.assessment.recommendation,
        reports=made.reports.total,
        suppressed=made.reports.suppressed,
    )
    return stored


def content_of(completed: Artefact) -> InitialThreatAssessment:
    """What a stored version says.

    Raises:
        Refused: ``old-form``, it was made by an earlier release.
    """
    try:
        return InitialThreatAssessment.model_validate(completed.document)
    except ValidationError as exc:
        raise Refused(
            "old-form",
            f"version {completed.version} was made by an earlier release and says nothing of its "
            f"reports: complete it anew with 'leerp incidents assess {completed.incident_id} "
            "--text ...'",
        ) from exc


def export_threat_assessment(
    database: Database,
    attempt: Attempt,
    form: str,
    render: Callable[[ThreatDocument], bytes],
    *,
    version: int | None = None,
) -> tuple[ThreatDocument, bytes]:
    """The document of ``attempt.subject``, the newest version when none is named, as ``render`` writes it.

    Nothing is handed out before the audit trail has it.

    Raises:
        NotFound: no such incident or version.
        Refused: ``unknown-officer``, ``wrong-role``, or ``old-form``: the version was made by an
            earlier release.
    """
    with attempted(database, attempt) as connection:
        acting(connection, attempt.officer, WORKING, attempt.command)
        document = _read(connection, attempt.subject, version)
    rendered = render(document)  # outside of any transaction: a long document takes seconds
    with database.write() as connection:
        audit.append(
            connection,
            "threat_assessment_exported",
            actor=attempt.officer,
            subject=attempt.subject,
            channel=attempt.channel,
            version=document.version,
            digest=document.digest,
            form=form,
        )
    return document, rendered


def _read(connection: Connection, incident_id: str, version: int | None) -> ThreatDocument:
    if connection.scalar(select(incident.c.id).where(incident.c.id == incident_id)) is None:
        raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
    found = casefile.find_artefact(connection, incident_id, KIND, version)
    newest = casefile.find_artefact(connection, incident_id, KIND)
    if newest is None:
        raise NotFound(
            f"the Initial Threat Assessment of {incident_id} is not completed yet: complete it with "
            f"'leerp incidents assess {incident_id} --text ...'"
        )
    if found is None:
        raise NotFound(
            f"{incident_id} has no version {version} of its Initial Threat Assessment: the newest "
            f"is {newest.version}"
        )
    return ThreatDocument(
        content=content_of(found),
        version=found.version,
        newest_version=newest.version,
        digest=found.digest,
        steps=_gate_steps(connection, incident_id, found.digest),
    )


def _gate_steps(connection: Connection, incident_id: str, digest: str) -> tuple[GateStep, ...]:
    """What people have done with this very text at the launch gate."""
    rows = connection.execute(
        select(decision)
        .where(
            decision.c.incident_id == incident_id,
            decision.c.command.like("launch-%"),
            decision.c.detail["digest"].as_string() == digest,
        )
        .order_by(decision.c.at, decision.c.command_id)
    )
    return tuple(_gate_step(row) for row in rows)


def _gate_step(row: Any) -> GateStep:
    return GateStep(
        state=row.command.removeprefix("launch-"),
        officer=row.officer,
        organisation=row.organisation,
        at=row.at,
    )
