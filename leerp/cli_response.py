"""The commands of ``leerp incidents`` after the launch: stages III to VII."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
from notifications.locks import PermissionKind
from notifications.permissions import record_permission
from protocol.errors import Refused
from protocol.markings import Classification, HandlingCode, Tlp
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
        ("downgrade", downgrade),
        ("permit", permit),
        ("meet", meet),
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


def downgrade(
    incident_id: IncidentId,
    report: Annotated[str, typer.Argument(help="Report whose marking is to be lowered.")],
    tlp: Annotated[Tlp, typer.Option(help="The new TLP.")],
    consent: Annotated[str, typer.Option(help="Evidence of the provider's consent.")],
    classification: Annotated[
        str, typer.Option(help="PUBLIC, BPL, RESTRICTED, CONFIDENTIAL, SECRET or TOP_SECRET.")
    ] = "BPL",
    code: Annotated[
        list[HandlingCode] | None, typer.Option(help="Handling codes; H0 when none.")
    ] = None,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose a lower marking for a report; a second person approves with 'approve ID downgrade'."""
    if classification not in Classification.__members__:
        names = ", ".join(Classification.__members__)
        raise Refused("bad-input", f"classification is one of {names}")
    marking = {
        "tlp": tlp,
        "classification": Classification[classification],
        "handling_codes": code or [HandlingCode.H0],
    }

    async def work(at: Desk, commands: Commands) -> Answer:
        draft = at.drafting(incident_id).downgrade(incident_id, report, marking, consent=consent)
        return await commands.propose(incident_id, Gate.DOWNGRADE, draft)

    show_answer(with_commands(home, officer, work), as_json=as_json)


def permit(
    incident_id: IncidentId,
    kind: Annotated[PermissionKind, typer.Option(help="What the provider permits.")],
    provider: Annotated[str, typer.Option(help="Whose information it is.")],
    recipient: Annotated[list[str], typer.Option(help="Recipient id or class; may be repeated.")],
    evidence: Annotated[str, typer.Option(help="Id of what proves it.")],
    days: Annotated[int, typer.Option(min=1, help="For how many days.")] = 30,
    officer: As = "",
    home: Home = HOME,
) -> None:
    """Record a provider's permission; the locks take it into account from then on (domain 4.4)."""
    now = datetime.now(UTC)
    with desk(home, officer) as at, at.app.database.write() as connection:
        at.casework.acting(connection)
        record_permission(
            connection,
            incident_id=incident_id,
            kind=kind,
            provider=provider,
            recipients=recipient,
            evidence=evidence,
            by=officer,
            given_at=now,
            expires_at=now + timedelta(days=days),
        )
    out.print(f"permitted until {now + timedelta(days=days):%Y-%m-%d %H:%M} UTC")


def meet(
    incident_id: IncidentId,
    text: Annotated[str, typer.Option(help="Who met, and what came of it.")],
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Note an internal coordination meeting, which is optional (R27)."""
    _note(home, officer, incident_id, "internal-meeting", text, as_json=as_json)


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
