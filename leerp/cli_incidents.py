"""``leerp incidents``: look, triage, assess and decide (stages I and II)."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.bootstrap import app as open_app
from leerp.cli_response import add_response_commands, newest_draft, show_answer
from leerp.options import (
    HOME,
    As,
    Desk,
    Home,
    IncidentId,
    InputFile,
    Json,
    Reason,
    desk,
    read_file,
    with_commands,
)
from leerp.output import out, show_fields, show_json, show_rows
from notifications.content import ContactPoint
from protocol.errors import Refused
from protocol.grades import Grade, InformationAccuracy, SourceReliability
from protocol.stages import Gate, Recommendation
from workflows import overview
from workflows.commands import Commands
from workflows.messages import Answer

incidents_app = typer.Typer(no_args_is_help=True, help="Incidents: look, assess, decide, respond.")
GateArgument = Annotated[Gate, typer.Argument(help="Which decision.")]


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
    """One incident: stages, assessment, drafts, decisions, notices."""
    with open_app(home) as opened, opened.database.read() as connection:
        details = overview.incident_details(connection, incident_id)
    if as_json:
        show_json(details)
        return
    assessment = details.pop("assessment") or {}
    show_fields(
        {k: v for k, v in details.items() if k not in {"stages", "drafts", "decisions", "notices"}},
        as_json=False,
    )
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
    for name, columns in (
        ("stages", ("stage", "entered", "left", "overdue_at")),
        ("decisions", ("at", "command", "officer")),
        ("notices", ("kind", "revision", "recipients", "accepted", "held", "acknowledged")),
    ):
        out.rule(name)
        show_rows(details[name], as_json=False, columns=columns, empty="none yet")


@incidents_app.command("timeline")
def timeline_command(incident_id: IncidentId, home: Home = HOME, as_json: Json = False) -> None:
    """Everything that happened, in the order of time."""
    with open_app(home) as opened, opened.database.read() as connection:
        overview.incident_details(connection, incident_id)
        rows = overview.timeline(connection, incident_id)
    show_rows(
        rows, as_json=as_json, columns=("at", "what", "detail", "by"), empty="nothing happened yet"
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
            rows = overview.notice_recipients(connection, campaign)
            columns: tuple[str, ...] = (
                "recipient", "contact", "reminder", "variant", "state", "reason", "acknowledged_at",
            )  # fmt: skip
        else:
            rows = overview.notices(connection, incident_id)
            columns = ("id", "recipients", "accepted", "held", "refused", "unknown", "acknowledged")
    show_rows(rows, as_json=as_json, columns=columns, empty="no notices yet")


@incidents_app.command("detect")
def detect_command(
    incident_id: IncidentId, reason: Reason, officer: As = "", home: Home = HOME
) -> None:
    """Make a cluster under triage a detection, on your word (R7)."""
    with desk(home, officer) as at:
        at.casework.detect(incident_id, reason=reason)
    out.print(f"{incident_id} is detected: its workflow starts now")


@incidents_app.command("grade")
def grade_command(
    incident_id: IncidentId,
    report: Annotated[str, typer.Argument(help="Report id, or a reporter's name with --reporter.")],
    source: Annotated[SourceReliability, typer.Option(help="A, B, C or X.")],
    info: Annotated[InformationAccuracy, typer.Option(help="1, 2, 3 or 4.")],
    reason: Reason,
    by_reporter: Annotated[
        bool, typer.Option("--reporter", help="All reports of this reporter in the incident.")
    ] = False,
    officer: As = "",
    home: Home = HOME,
) -> None:
    """Grade a report by the 4x4 (R11)."""
    grade = Grade(source=source, information=info)
    with desk(home, officer) as at:
        if by_reporter:
            graded = at.casework.grade_source(incident_id, report, grade, reason=reason)
            out.print(f"{len(graded)} reports of {report} are graded {grade}", markup=False)
        else:
            at.casework.grade(report, grade, reason=reason)
            out.print(f"{report} is graded {grade}", markup=False)


@incidents_app.command("state")
def state_command(
    incident_id: IncidentId, file: InputFile, officer: As = "", home: Home = HOME
) -> None:
    """State a finding: triggers, a confirmed cause, probable countries, an override."""
    with desk(home, officer) as at:
        made = at.casework.state(incident_id, read_file(file))
    out.print(f"findings version {made.version}")


@incidents_app.command("assess")
def assess_command(
    incident_id: IncidentId,
    text: Annotated[str, typer.Option(help="The situation from the view of law enforcement.")],
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Complete the Initial Threat Assessment (R16, R17)."""
    with desk(home, officer) as at:
        made = at.casework.complete_assessment(incident_id, situation=text)
    assessment = made.document["assessment"]
    if as_json:
        show_json(made.document)
        return
    out.print(
        f"threat assessment version {made.version}: {assessment['threat_class']} "
        f"({assessment['impact']}{assessment['reach']}), recommendation {assessment['recommendation']}"
    )
    for sentence in assessment["reasons"]:
        out.print(f"  {sentence}", markup=False)


@incidents_app.command("launch")
def launch_command(
    incident_id: IncidentId,
    reason: Annotated[str, typer.Option(help="Needed against the recommendation.")] = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose to launch the protocol; a second person approves with 'approve ID launch'."""

    async def work(at: Desk, commands: Commands) -> Answer:
        draft = newest_draft(at, incident_id, "threat-assessment")
        return await commands.propose(incident_id, Gate.LAUNCH, draft, reason=reason)

    show_answer(with_commands(home, officer, work), as_json=as_json)


@incidents_app.command("hold")
def hold_command(
    incident_id: IncidentId,
    reason: Reason,
    phone: Annotated[str, typer.Option(help="Where the notifiers reach you.")],
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose to hold until more is known; stage II comes back when the outlook window has passed."""
    _stand_down(
        home, officer, incident_id, Recommendation.HOLD_CORROBORATE, reason, phone, as_json=as_json
    )


@incidents_app.command("rule-out")
def rule_out_command(
    incident_id: IncidentId,
    reason: Reason,
    phone: Annotated[str, typer.Option(help="Where the notifiers reach you.")],
    outcome: Annotated[
        Recommendation, typer.Option(help="What follows instead of a launch.")
    ] = Recommendation.NORMAL_PROCEDURE,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose not to launch (R18); a second person approves with 'approve ID no-launch'."""
    _stand_down(home, officer, incident_id, outcome, reason, phone, as_json=as_json)


@incidents_app.command("reopen")
def reopen_command(
    incident_id: IncidentId,
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Take up again an incident that was not launched (R10)."""

    async def work(_at: Desk, commands: Commands) -> Answer:
        return await commands.reopen(incident_id, reason=reason)

    show_answer(with_commands(home, officer, work), as_json=as_json)


@incidents_app.command("approve")
def approve_command(
    incident_id: IncidentId,
    gate: GateArgument,
    digest: Annotated[
        str | None, typer.Option(help="Of the draft you read; else what waits now.")
    ] = None,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Agree, as the second person, to what waits at a gate."""

    async def work(_at: Desk, commands: Commands) -> Answer:
        return await commands.approve(incident_id, gate, digest=digest)

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


def _stand_down(
    home: Home,
    officer: str,
    incident_id: str,
    outcome: Recommendation,
    reason: str,
    phone: str,
    *,
    as_json: bool,
) -> None:
    if outcome is Recommendation.LAUNCH:
        raise Refused("no-outcome", "to launch, use 'leerp incidents launch'")

    async def work(at: Desk, commands: Commands) -> Answer:
        desk_point = ContactPoint(name="EC3 duty desk", phone=phone, secure_channel="on request")
        draft = at.drafting(incident_id).outcome(
            incident_id, outcome, statement=reason, desk=desk_point
        )
        return await commands.propose(
            incident_id, Gate.NO_LAUNCH, draft, reason=reason, outcome=outcome
        )

    show_answer(with_commands(home, officer, work), as_json=as_json)


add_response_commands(incidents_app)
