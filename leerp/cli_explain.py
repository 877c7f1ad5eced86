"""``leerp incidents explain``: why this class, what would change it, how robust it is."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from activities.evidence import load_evidence, load_findings
from infra import casefile
from infra.tables import incident
from leerp.explanation_view import Explained, explained, show_explained
from leerp.home import open_app
from leerp.options import HOME, Home, IncidentId, Json
from leerp.output import out, show_json
from protocol.errors import NotFound, Refused
from protocol.profile import Profile

MOST_CHANGES = 5


def explain(
    incident_id: IncidentId,
    changes: Annotated[
        int,
        typer.Option(min=1, max=MOST_CHANGES, help="Look at up to so many changes together."),
    ] = 3,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Why the newest assessment is what it is, what would change it, and how robust it is."""
    with open_app(home) as opened, opened.database.read() as connection:
        stored = _newest_assessment(connection, incident_id)
        profile = opened.settings.profile()
        _require_same_rules(stored, profile)
        evidence = load_evidence(connection, incident_id)
        findings = load_findings(connection, incident_id)
    of = explained(evidence, findings, profile, at_most=changes)
    newer = _newer(stored, of)
    if as_json:
        show_json(
            {
                "incident": incident_id,
                "version": stored.version,
                "newer": newer,
                **of.model_dump(mode="json"),
            }
        )
        return
    out.print(f"{incident_id}, assessment version {stored.version}")
    if newer:
        out.print(
            "reports or findings have changed since: below is what is known now; the next version "
            "follows when the workflow reads it"
        )
    show_explained(of)


def _newest_assessment(connection: Connection, incident_id: str) -> casefile.Artefact:
    known = connection.execute(incident.select().where(incident.c.id == incident_id)).one_or_none()
    if known is None:
        raise NotFound(f"no incident {incident_id}: see 'leerp incidents list'")
    newest = casefile.find_artefact(connection, incident_id, "assessment")
    if newest is None:
        raise NotFound(
            f"{incident_id} is not assessed yet: 'leerp incidents detect {incident_id}' makes it "
            "a detection, and its workflow assesses it"
        )
    return newest


def _require_same_rules(stored: casefile.Artefact, profile: Profile) -> None:
    document: dict[str, Any] = stored.document
    if (document["profile"], document["matrix"]) != (profile.name, profile.matrix):
        raise Refused(
            "other-profile",
            f"it was assessed by matrix {document['matrix']} of profile {document['profile']}, and "
            f"this home is set to {profile.matrix} of {profile.name}: set that profile to explain it",
        )


def _newer(stored: casefile.Artefact, of: Explained) -> bool:
    return bool(stored.document != of.explanation.assessment.model_dump(mode="json"))
