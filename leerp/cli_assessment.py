"""The commands of ``leerp incidents`` up to the launch decision: stages I and II."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.casefile import Artefact
from leerp import acts
from leerp.cli_document import document
from leerp.cli_facts import facts
from leerp.desk import Desk, desk, with_commands
from leerp.options import HOME, As, BearingOut, Home, IncidentId, InputFile, Json, Reason, read_file
from leerp.output import out, show_json, visible
from notifications.content import ContactPoint
from protocol.errors import Refused
from protocol.grades import Grade, InformationAccuracy, SourceReliability
from protocol.stages import Gate, Recommendation
from workflows.commands import Commands
from workflows.inputs import read_input
from workflows.messages import Answer

STANDARD_INPUT = Path("-")


def add_assessment_commands(incidents: typer.Typer) -> None:
    """Add the commands of stages I and II."""
    for name, command in (
        ("detect", detect),
        ("grade", grade),
        ("state", state),
        ("assess", assess),
        ("document", document),
        ("launch", launch),
        ("hold", hold),
        ("rule-out", rule_out),
        ("reopen", reopen),
        ("facts", facts),
    ):
        incidents.command(name)(command)


def detect(
    incident_id: IncidentId,
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Make a cluster under triage a detection, on your word (R7)."""
    with desk(home, officer) as at:
        at.casework.detect(incident_id, reason=reason)
    if as_json:
        show_json({"incident": incident_id, "status": "detected"})
    else:
        out.print(f"{incident_id} is detected: its workflow starts now")


def grade(
    incident_id: IncidentId,
    report: Annotated[str, typer.Argument(help="Report id, or a reporter's name with --reporter.")],
    source: Annotated[SourceReliability, typer.Option(help="A, B, C or X.")],
    info: Annotated[InformationAccuracy, typer.Option(help="1, 2, 3 or 4.")],
    reason: Reason,
    by_reporter: Annotated[
        bool, typer.Option("--reporter", help="All reports of this reporter in the incident.")
    ] = False,
    by: BearingOut = None,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Grade a report by the 4x4 (R11)."""
    given = Grade(source=source, information=info)
    graded: tuple[str, ...] = (report,)
    with desk(home, officer) as at:
        if by_reporter:
            graded = at.casework.grade_source(incident_id, report, given, reason=reason)
        else:
            at.casework.grade(incident_id, report, given, reason=reason, by=by or ())
    if as_json:
        show_json({"incident": incident_id, "grade": str(given), "reports": list(graded)})
    elif by_reporter:
        out.print(f"{len(graded)} reports of {visible(report)} are graded {given}", markup=False)
    else:
        out.print(f"{report} is graded {given}", markup=False)


def state(
    incident_id: IncidentId,
    file: InputFile,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """State a finding: triggers, a confirmed cause, probable countries, an override."""
    with desk(home, officer) as at:
        made = at.casework.state(incident_id, read_file(file))
    if as_json:
        show_json({"kind": made.kind, "version": made.version, "findings": made.document})
    else:
        out.print(f"findings version {made.version}")


def assess(
    incident_id: IncidentId,
    text: Annotated[
        str | None, typer.Option(help="The situation from the view of law enforcement.")
    ] = None,
    text_file: Annotated[
        Path | None, typer.Option(help="The same from a file; - for standard input.")
    ] = None,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Complete the Initial Threat Assessment with your view of the situation (R16, R17)."""
    situation = _situation(text, text_file)
    with desk(home, officer) as at:
        made = at.casework.complete_assessment(incident_id, situation=situation)
    assessment = made.document["assessment"]
    if as_json:
        show_json(made.document)
        return
    out.print(
        f"threat assessment version {made.version}: {assessment['threat_class']} "
        f"({assessment['impact']}{assessment['reach']}), recommendation {assessment['recommendation']}"
    )
    for sentence in assessment["reasons"]:
        out.print(f"  {visible(sentence)}", markup=False)
    out.print(
        f"read it with 'leerp incidents document {incident_id} -o FILE.pdf', then propose to launch "
        f"with 'leerp incidents launch {incident_id}'"
    )


def _situation(text: str | None, file: Path | None) -> str:
    if text is not None and file is not None:
        raise Refused("two-texts", "give the situation with --text or with --text-file, not both")
    if file is None:
        return text or ""
    try:
        return (sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()).decode()
    except UnicodeDecodeError as exc:
        raise Refused("unreadable", f"{file}: it is no UTF-8 text ({exc.reason})") from exc
    except OSError as exc:
        raise Refused("unreadable", f"{file}: {exc.strerror}") from exc


def launch(
    incident_id: IncidentId,
    reason: Annotated[str, typer.Option(help="Needed against the recommendation.")] = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose to launch the protocol; a second person approves with 'approve ID launch'."""

    def draft(at: Desk) -> Artefact:
        return acts.newest_draft(at, incident_id, "threat-assessment")

    acts.propose(home, officer, incident_id, Gate.LAUNCH, draft, as_json=as_json, reason=reason)


def hold(
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


def rule_out(
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


def reopen(
    incident_id: IncidentId,
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Take up again an incident that was not launched (R10)."""

    async def work(_at: Desk, commands: Commands) -> Answer:
        return await commands.reopen(incident_id, reason=reason)

    acts.show_answer(with_commands(home, officer, work), as_json=as_json)


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

    point = read_input(
        ContactPoint, {"name": "EC3 duty desk", "phone": phone, "secure_channel": "on request"}
    )

    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).outcome(incident_id, outcome, statement=reason, desk=point)

    acts.propose(
        home,
        officer,
        incident_id,
        Gate.NO_LAUNCH,
        draft,
        as_json=as_json,
        reason=reason,
        outcome=outcome,
    )
