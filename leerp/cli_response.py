"""The commands of ``leerp incidents`` after the launch: stages III to VII."""

from __future__ import annotations

from typing import Annotated

import typer

from infra import casefile
from infra.casefile import Artefact
from leerp.options import (
    HOME,
    As,
    Desk,
    Home,
    IncidentId,
    InputFile,
    Json,
    desk,
    read_file,
    with_commands,
)
from leerp.output import out, show_fields
from protocol.stages import Containment, Gate
from workflows.commands import Commands
from workflows.messages import Answer


def newest_draft(at: Desk, incident_id: str, kind: str) -> Artefact:
    """The newest version of a draft.

    Raises:
        NotFound: there is none yet.
    """
    with at.app.database.read() as connection:
        return casefile.get_artefact(connection, incident_id, kind)


def show_answer(answer: Answer, *, as_json: bool) -> None:
    """Print what a command led to, and what comes next."""
    if as_json:
        show_fields(answer.model_dump(mode="json"), as_json=True)
        return
    where = f" at {answer.gate}" if answer.gate else ""
    out.print(f"{answer.state}{where} (stage {answer.stage})")
    if answer.state == "proposed":
        out.print(
            f"draft {answer.digest[:12]}; a second person: "
            f"leerp incidents approve ID {answer.gate} --as OFFICER"
        )


def add_response_commands(incidents: typer.Typer) -> None:
    """Add the commands of stages III to VII."""
    for name, command in (
        ("centre", centre),
        ("warn", warn),
        ("invite", invite),
        ("plan", plan),
        ("agree", agree),
        ("adopt", adopt),
        ("contribute", contribute),
        ("review", review),
        ("close", close),
    ):
        incidents.command(name)(command)


def centre(
    incident_id: IncidentId,
    file: InputFile,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Set up the coordination centre; the initial notice goes out at once (R20 to R24, R28)."""

    async def work(at: Desk, commands: Commands) -> Answer:
        draft = at.drafting(incident_id).centre(incident_id, read_file(file))
        return await commands.record(incident_id, draft)

    show_answer(with_commands(home, officer, work), as_json=as_json)


def warn(
    incident_id: IncidentId,
    file: InputFile,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Draft the Early Warning Notification and propose its release (R29 to R33)."""

    async def work(at: Desk, commands: Commands) -> Answer:
        draft = at.drafting(incident_id).ewn(incident_id, read_file(file))
        return await commands.propose(incident_id, Gate.EWN_RELEASE, draft)

    show_answer(with_commands(home, officer, work), as_json=as_json)


def invite(
    incident_id: IncidentId,
    file: InputFile,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Invite to the emergency meeting, with date and place (R36)."""

    async def work(at: Desk, commands: Commands) -> Answer:
        draft = at.drafting(incident_id).invitation(incident_id, read_file(file))
        return await commands.record(incident_id, draft)

    show_answer(with_commands(home, officer, work), as_json=as_json)


def plan(incident_id: IncidentId, file: InputFile, officer: As = "", home: Home = HOME) -> None:
    """Draft the operational action plan with its owned actions (R37 to R39)."""
    with desk(home, officer) as at:
        made = at.drafting(incident_id).plan(incident_id, read_file(file))
    out.print(
        f"plan draft version {made.version}: member states agree with 'leerp incidents agree'"
    )


def agree(
    incident_id: IncidentId,
    state: Annotated[str, typer.Option(help="Country code of the member state.")],
    by: Annotated[str, typer.Option(help="Who agreed for it, and how.")],
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Note a member state's agreement to the newest draft of the plan (R37)."""

    async def work(at: Desk, commands: Commands) -> Answer:
        draft = at.drafting(incident_id).agreement(incident_id, state, by)
        return await commands.record(incident_id, draft)

    show_answer(with_commands(home, officer, work), as_json=as_json)


def adopt(
    incident_id: IncidentId, officer: As = "", home: Home = HOME, as_json: Json = False
) -> None:
    """Propose to adopt the agreed plan; a second person approves with 'approve ID plan-adoption'."""

    async def work(at: Desk, commands: Commands) -> Answer:
        draft = at.drafting(incident_id).agreed_plan(incident_id)
        return await commands.propose(incident_id, Gate.PLAN_ADOPTION, draft)

    show_answer(with_commands(home, officer, work), as_json=as_json)


def contribute(
    incident_id: IncidentId,
    text: Annotated[str, typer.Option(help="What a member state brings to the pool.")],
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Add a contribution to the pooled investigation (R42)."""
    _note(home, officer, incident_id, "contribution", text, as_json=as_json)


def review(
    incident_id: IncidentId,
    text: Annotated[str, typer.Option(help="What open sources say now.")],
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Record a review of open sources; the review timer starts anew (R45)."""
    _note(home, officer, incident_id, "osint-review", text, as_json=as_json)


def close(
    incident_id: IncidentId,
    containment: Annotated[
        Containment, typer.Option(help="In which sense the threat is contained.")
    ],
    statement: Annotated[str, typer.Option(help="What all recipients are told.")],
    evidence: Annotated[str, typer.Option(help="What shows that the threat is contained.")],
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose closure (R48); it goes to exactly those who got the initial notice (R49)."""

    async def work(at: Desk, commands: Commands) -> Answer:
        draft = at.drafting(incident_id).closure(
            incident_id, containment, statement=statement, evidence=evidence
        )
        return await commands.propose(incident_id, Gate.CLOSURE, draft, containment=containment)

    show_answer(with_commands(home, officer, work), as_json=as_json)


def _note(
    home: Home, officer: str, incident_id: str, kind: str, text: str, *, as_json: bool
) -> None:
    async def work(at: Desk, commands: Commands) -> Answer:
        draft = at.drafting(incident_id).note(incident_id, kind, text)
        return await commands.record(incident_id, draft)

    show_answer(with_commands(home, officer, work), as_json=as_json)
