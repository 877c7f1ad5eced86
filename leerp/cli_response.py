"""The commands of ``leerp incidents`` after the launch: stages III to VII."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from infra.casefile import Artefact
from leerp import acts
from leerp.desk import Desk, desk
from leerp.options import CHANNEL, HOME, As, Home, IncidentId, InputFile, Json, read_file
from leerp.output import out, show_json
from notifications.grants import PermissionKind
from protocol.errors import Refused
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from protocol.stages import Containment, Gate
from workflows.permitting import Permitting, Word


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

    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).centre(incident_id, read_file(file))

    acts.record(home, officer, incident_id, draft, as_json=as_json)


def warn(
    incident_id: IncidentId,
    file: InputFile,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Draft the Early Warning Notification and propose its release (R29 to R33)."""

    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).ewn(incident_id, read_file(file))

    acts.propose(home, officer, incident_id, Gate.EWN_RELEASE, draft, as_json=as_json)


def downgrade(
    incident_id: IncidentId,
    report: Annotated[str, typer.Argument(help="Report whose marking is to be lowered.")],
    consent: Annotated[str, typer.Option(help="Evidence of the provider's consent.")],
    tlp: Annotated[Tlp | None, typer.Option(help="The new TLP.")] = None,
    classification: Annotated[
        str | None,
        typer.Option(help="PUBLIC, BPL, RESTRICTED, CONFIDENTIAL, SECRET or TOP_SECRET."),
    ] = None,
    code: Annotated[
        list[HandlingCode] | None, typer.Option(help="Handling codes that stay; may be repeated.")
    ] = None,
    pap: Annotated[Pap | None, typer.Option(help="The new PAP.")] = None,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose to lower what you name of a report's marking; a second person agrees (R32)."""
    if classification is not None and classification not in Classification.__members__:
        names = ", ".join(Classification.__members__)
        raise Refused("bad-input", f"classification is one of {names}")
    parts = {
        "tlp": tlp,
        "classification": Classification[classification] if classification else None,
        "handling_codes": code or None,
        "pap": pap,
    }

    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).downgrade(incident_id, report, parts, consent=consent)

    acts.propose(
        home,
        officer,
        incident_id,
        Gate.DOWNGRADE,
        draft,
        as_json=as_json,
        beside=lambda made: {
            name: "; ".join(Marking.model_validate(made.document[name]).lines())
            for name in ("was", "marking")
        },
    )


def permit(
    incident_id: IncidentId,
    kind: Annotated[PermissionKind, typer.Option(help="What the provider permits.")],
    provider: Annotated[str, typer.Option(help="Whose information it is.")],
    recipient: Annotated[list[str], typer.Option(help="Recipient id or class; may be repeated.")],
    evidence: Annotated[str, typer.Option(help="Id of what proves it.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="For how many days.")] = 30,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Record a provider's permission; the locks take it into account from then on (domain 4.4)."""
    word = Word(
        incident_id=incident_id,
        kind=kind,
        provider=provider,
        recipients=recipient,
        evidence=evidence,
        lasting=timedelta(days=days),
    )
    with desk(home, officer) as at:
        permitting = Permitting(at.app.database, officer=officer, channel=CHANNEL)
        until = permitting.record(word).permission.expires_at
    if as_json:
        show_json({"incident": incident_id, "kind": kind, "expires_at": until.isoformat()})
    else:
        out.print(f"permitted until {until:%Y-%m-%d %H:%M} UTC")


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

    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).invitation(incident_id, read_file(file))

    acts.record(home, officer, incident_id, draft, as_json=as_json)


def plan(
    incident_id: IncidentId,
    file: InputFile,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Draft the operational action plan with its owned actions (R37 to R39)."""
    with desk(home, officer) as at:
        made = at.drafting(incident_id).plan(incident_id, read_file(file))
    if as_json:
        show_json({"kind": made.kind, "version": made.version, "digest": made.digest})
    else:
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

    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).agreement(incident_id, state, by)

    acts.record(home, officer, incident_id, draft, as_json=as_json)


def adopt(
    incident_id: IncidentId, officer: As = "", home: Home = HOME, as_json: Json = False
) -> None:
    """Propose to adopt the agreed plan; a second person approves with 'approve ID plan-adoption'."""

    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).agreed_plan(incident_id)

    acts.propose(home, officer, incident_id, Gate.PLAN_ADOPTION, draft, as_json=as_json)


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

    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).closure(
            incident_id, containment, statement=statement, evidence=evidence
        )

    acts.propose(
        home, officer, incident_id, Gate.CLOSURE, draft, as_json=as_json, containment=containment
    )


def _note(
    home: Home, officer: str, incident_id: str, kind: str, text: str, *, as_json: bool
) -> None:
    def draft(at: Desk) -> Artefact:
        return at.drafting(incident_id).note(incident_id, kind, text)

    acts.record(home, officer, incident_id, draft, as_json=as_json)
