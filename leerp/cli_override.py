"""``leerp locks override``: a provider's restriction set aside to avert a threat to life (Art. 22(2))."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from leerp.desk import Desk, desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, IncidentId, Json, Reason
from leerp.output import out, show_json, show_rows
from notifications.override import Override, list_overrides
from protocol.stages import NoticeKind
from workflows.overrides import Approved, Overrides, send_notices

override_app = typer.Typer(
    no_args_is_help=True,
    help="Set a provider's restriction aside to avert a threat to life; two officers, for a time.",
)
Number = Annotated[int, typer.Argument(min=1, help="Number, from 'leerp locks override list'.")]
COLUMNS = (
    *("id", "incident", "draft", "recipients", "providers", "state", "ends_at", "by"),
    *("approved_by", "reason"),
)


@override_app.command("propose")
def propose_command(
    incident_id: IncidentId,
    recipient: Annotated[list[str], typer.Option(help="Recipient id; may be repeated.")],
    reason: Reason,
    kind: Annotated[
        NoticeKind, typer.Option(help="Whose newest draft it is for.")
    ] = NoticeKind.EWN,
    hours: Annotated[int, typer.Option(min=1, help="For how many hours, at most 24.")] = 6,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose that named recipients get what its provider restricted (H2, H3); nothing opens yet."""
    with desk(home, officer) as at:
        made = _overrides(at).propose(
            incident_id,
            kind,
            recipients=recipient,
            reason=reason,
            lasting=timedelta(hours=hours),
            profile=at.profile,
        )
    if as_json:
        show_json(document(made))
        return
    out.print(
        f"override {made.id} of {made.draft} is proposed: a second officer reads it (leerp locks "
        f"override list) and agrees (leerp locks override approve {made.id} --as OFFICER)"
    )


@override_app.command("approve")
def approve_command(
    number: Number, officer: As = "", home: Home = HOME, as_json: Json = False
) -> None:
    """Agree as the second officer: the locks open, and the providers are told at once."""
    with desk(home, officer) as at:
        _tell(at, _overrides(at).approve(number), as_json=as_json)


@override_app.command("tell")
def tell_command(
    number: Number, officer: As = "", home: Home = HOME, as_json: Json = False
) -> None:
    """Send the notices to its providers that are still in the outbox."""
    with desk(home, officer) as at:
        _tell(at, _overrides(at).told(number), as_json=as_json)


@override_app.command("end")
def end_command(
    number: Number, reason: Reason, officer: As = "", home: Home = HOME, as_json: Json = False
) -> None:
    """End an override before its time, or take its proposal back."""
    with desk(home, officer) as at:
        made = _overrides(at).end(number, reason=reason)
    if as_json:
        show_json(document(made))
    else:
        out.print(f"override {number} is over: what has not left stays here")


@override_app.command("list")
def list_command(
    incident: Annotated[str | None, typer.Option(help="Of this incident only.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Overrides in the order in which they were proposed, with their reasons."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = list_overrides(connection, incident)
    show_rows(
        [document(each) for each in found],
        as_json=as_json,
        columns=COLUMNS,
        empty="no overrides: 'leerp locks override propose' is for an imminent threat to life only",
    )


def document(each: Override) -> dict[str, Any]:
    """An override as it is listed."""
    return {
        "id": each.id,
        "incident": each.incident_id,
        "draft": each.draft,
        "recipients": list(each.recipients),
        "providers": list(each.providers),
        "state": each.state(datetime.now(UTC)),
        "reason": each.reason,
        "hours": each.lasting / timedelta(hours=1),
        "by": each.by,
        "at": each.at.isoformat(),
        "approved_by": each.approved_by,
        "ends_at": each.ends_at and each.ends_at.isoformat(),
        "ended_by": each.ended_by,
    }


def _overrides(at: Desk) -> Overrides:
    return Overrides(
        at.app.database,
        officer=at.officer,
        channel=CHANNEL,
        message_key=at.app.keys.acknowledgement,
    )


def _tell(at: Desk, approved: Approved, *, as_json: bool) -> None:
    """Show what was opened, and send its providers their notices."""
    _show(approved, as_json=as_json)
    asyncio.run(_send(at, approved))


async def _send(at: Desk, approved: Approved) -> None:
    if approved.campaigns:
        await send_notices(
            approved, at.app.temporal, task_queue=at.app.settings.temporal.task_queue
        )


def _show(approved: Approved, *, as_json: bool) -> None:
    made = approved.override
    if as_json:
        told = {"campaigns": list(approved.campaigns), "tasks": list(approved.tasks)}
        show_json({**document(made), **told})
        return
    out.print(f"override {made.id} is in force until {made.ends_at:%Y-%m-%d %H:%M} UTC")
    for name in approved.campaigns:
        out.print(f"its provider is told by {name}")
    for task in approved.tasks:
        out.print(f"a provider must be told by another way: task {task} of {made.incident_id}")
    out.print(
        "mails that were held for it go out with 'leerp campaign release CAMPAIGN --recipient ID'"
    )
