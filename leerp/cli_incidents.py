"""``leerp incidents``: look at an incident, read what waits for a decision, and decide."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.casefile import Artefact
from intake.facts import incident_facts
from intake.links import links_of
from leerp.acts import show_answer
from leerp.cli_assessment import add_assessment_commands
from leerp.cli_ewn import add_ewn_commands
from leerp.cli_explain import explain
from leerp.cli_response import add_response_commands
from leerp.desk import Desk, with_commands
from leerp.draft_text import draft_text
from leerp.home import open_app
from leerp.link_words import link_words, weighed
from leerp.options import HOME, As, Home, IncidentId, Json, Reason
from leerp.output import out, show_fields, show_json, show_rows, visible
from protocol.stages import Gate
from workflows import overview
from workflows.commands import Commands
from workflows.messages import Answer

incidents_app = typer.Typer(no_args_is_help=True)
GateArgument = Annotated[Gate, typer.Argument(help="Which decision.")]
TABLES = {
    "stages": ("stage", "entered", "left", "overdue_at"),
    "drafts": ("kind", "version", "by", "digest"),
    "recommendations": ("at", "version", "before", "after", "class"),
    "tasks": ("number", "kind", "subject", "state", "owner", "due_at"),
    "pending": ("gate", "proposer", "at", "digest"),
    "decisions": ("at", "command", "officer"),
    "notices": ("kind", "revision", "recipients", "accepted", "held", "acknowledged"),
}
"""What is shown of one incident in tables, with their columns."""


@incidents_app.command("list")
def list_command(home: Home = HOME, as_json: Json = False) -> None:
    """Incidents, and clusters of reports under triage."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = overview.incidents(connection)
    show_rows(
        rows,
        as_json=as_json,
        columns=("id", "status", "stage", "class", "recommendation", "reports", "exercise"),
        empty="no incidents yet: send reports with 'leerp report FILE --group GROUP'",
    )


@incidents_app.command("show")
def show_command(incident_id: IncidentId, home: Home = HOME, as_json: Json = False) -> None:
    """One incident: stages, assessment, drafts, what waits at a gate, decisions, notices."""
    with open_app(home) as opened, opened.database.read() as connection:
        details = overview.incident_details(connection, incident_id)
        details |= incident_facts(connection, incident_id)
    if as_json:
        show_json(details)
        return
    assessment = details.pop("assessment") or {}
    show_fields({k: v for k, v in details.items() if k not in TABLES}, as_json=False)
    if assessment:
        out.rule("assessment")
        wanted = (
            "threat_class",
            "impact",
            "reach",
            "recommendation",
            "reasons",
            "countries",
            "sectors",
        )
        show_fields({name: assessment[name] for name in wanted}, as_json=False)
    details["drafts"] = [{"kind": kind, **draft} for kind, draft in details["drafts"].items()]
    for name, columns in TABLES.items():
        out.rule(name)
        show_rows(details[name], as_json=False, columns=columns, empty="none yet")


@incidents_app.command("timeline")
def timeline_command(incident_id: IncidentId, home: Home = HOME, as_json: Json = False) -> None:
    """Everything that happened, in the order of time."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = overview.timeline(connection, incident_id)
    show_rows(
        rows, as_json=as_json, columns=("at", "what", "detail", "by"), empty="nothing happened yet"
    )


@incidents_app.command("links")
def links_command(
    incident_id: IncidentId,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Why each report is in this incident: shared indicators, a stated relation, an officer."""
    with open_app(home) as opened, opened.database.read() as connection:
        links = links_of(connection, incident_id, limit=limit)
        rules = opened.settings.profile().correlation
    rows = [
        {
            **each,
            "at": each["at"].isoformat(),
            "indicators": weighed(each["reason"]["shared"], rules),
            "words": link_words(each, rules),
        }
        for each in links
    ]
    show_rows(
        rows,
        as_json=as_json,
        columns=("report_id", "words"),
        empty=f"no report is in {incident_id} any more: see 'leerp incidents show {incident_id}'",
    )


@incidents_app.command("notices")
def notices_command(
    incident_id: IncidentId,
    campaign: Annotated[str | None, typer.Option(help="Each mail of this notice.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """What was sent, to how many, and who has acknowledged."""
    with open_app(home) as opened, opened.database.read() as connection:
        if campaign is not None:
            rows = overview.notice_recipients(connection, incident_id, campaign)
            columns: tuple[str, ...] = (
                "recipient", "contact", "reminder", "variant", "state", "reason", "acknowledged_at",
            )  # fmt: skip
        else:
            rows = overview.notices(connection, incident_id)
            columns = ("id", "recipients", "accepted", "held", "refused", "unknown", "acknowledged")
    show_rows(rows, as_json=as_json, columns=columns, empty="no notices yet")


@incidents_app.command("draft")
def draft_command(
    incident_id: IncidentId,
    gate: GateArgument,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Read what waits at a gate; 'approve' then agrees to this text and no other."""

    async def work(_at: Desk, commands: Commands) -> Artefact:
        return await commands.read(incident_id, gate)

    draft = with_commands(home, officer, work)
    if as_json:
        show_json(
            {
                "kind": draft.kind,
                "version": draft.version,
                "by": draft.by,
                "digest": draft.digest,
                "document": draft.document,
            }
        )
    else:
        out.print(visible(draft_text(draft)), markup=False, soft_wrap=True)


@incidents_app.command("approve")
def approve_command(
    incident_id: IncidentId,
    gate: GateArgument,
    digest: Annotated[str | None, typer.Option(help="Of the draft you read elsewhere.")] = None,
    override: Annotated[
        str, typer.Option(help="Emergency: why you alone release the warning; it is recorded.")
    ] = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Agree, as the second person, to the draft that you read with 'draft'."""

    async def work(_at: Desk, commands: Commands) -> Answer:
        return await commands.approve(incident_id, gate, digest=digest, override=override)

    show_answer(with_commands(home, officer, work), as_json=as_json)


@incidents_app.command("decline")
def decline_command(
    incident_id: IncidentId,
    gate: GateArgument,
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Take what waits at a gate off the table."""

    async def work(_at: Desk, commands: Commands) -> Answer:
        return await commands.decline(incident_id, gate, reason=reason)

    show_answer(with_commands(home, officer, work), as_json=as_json)


incidents_app.command("explain")(explain)
add_assessment_commands(incidents_app)
add_response_commands(incidents_app)
add_ewn_commands(incidents_app)
