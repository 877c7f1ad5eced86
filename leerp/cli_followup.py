"""``leerp campaign``: calls, what became of recipients, late recipients, and withdrawing a notice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from leerp.desk import Desk, desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, CampaignId, Home, Json, Reason
from leerp.output import out, show_json, show_rows, visible
from notifications.authority import Attempt, acting, attempted
from notifications.call_list import SETTLING, CallResult, Said, calls, record_call, settle
from protocol.errors import Refused
from protocol.stages import NoticeKind
from workflows.mail_commands import MailCommands, Officer

followup_app = typer.Typer()
"""Commands of ``leerp campaign``."""

RecipientId = Annotated[str, typer.Argument(metavar="RECIPIENT", help="Id of the recipient.")]
CALL_COLUMNS = (
    *("recipient", "organisation", "country", "contact", "name", "phone", "local_time"),
    *("open_now", "languages", "calls", "last", "say"),
)


@followup_app.command("calls")
def calls_command(
    campaign: CampaignId,
    everybody: Annotated[
        bool, typer.Option("--all", help="All who are not settled, not only who is on the list.")
    ] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Whom to phone: number, time there, language, and what to say; who is there now comes first."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = calls(connection, campaign, datetime.now(UTC), everybody=everybody)
    show_rows(
        found,
        as_json=as_json,
        columns=CALL_COLUMNS,
        empty="nobody is to be called"
        if everybody
        else "nobody is on the call list: --all shows all who have not been heard of",
    )


@followup_app.command("called")
def called_command(
    campaign: CampaignId,
    recipient: RecipientId,
    result: Annotated[CallResult, typer.Option(help="What came of the call.")],
    note: Annotated[str, typer.Option(help="With whom, and what was said.")] = "",
    contact: Annotated[
        int | None, typer.Option(help="Number of the contact; the one of the call list by default.")
    ] = None,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Record a telephone call; one that reached somebody settles the recipient."""
    now = datetime.now(UTC)
    with desk(home, officer) as at:
        said = _said(campaign, recipient, officer, note)
        with attempted(at.app.database, _attempt(said, "called")) as connection:
            acting(connection, officer, SETTLING, "campaign called")
            settled = record_call(connection, said, result, contact=contact, now=now)
    if as_json:
        show_json({"recipient": recipient, "result": result, "settled": settled})
        return
    rest = "settled" if settled else "stays on the list"
    out.print(f"{recipient}: {result}, {rest}", markup=False)


@followup_app.command("settle")
def settle_command(
    campaign: CampaignId,
    recipient: RecipientId,
    reason: Reason = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Say what became of a recipient that sent no word."""
    with desk(home, officer) as at:
        said = _said(campaign, recipient, officer, reason)
        with attempted(at.app.database, _attempt(said, "settle")) as connection:
            acting(connection, officer, SETTLING, "campaign settle")
            settle(connection, said, datetime.now(UTC))
    if as_json:
        show_json({"recipient": recipient, "settled": True})
        return
    out.print(f"{recipient}: settled", markup=False)


@followup_app.command("add")
def add_command(
    campaign: CampaignId,
    recipient: RecipientId,
    reason: Reason = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Add a recipient of the directory late; the locks are tried as for the others."""
    with desk(home, officer) as at:
        by = Officer(id=officer, channel=CHANNEL, reason=reason)
        done = asyncio.run(_commands(at).add(campaign, recipient, by))
    if as_json:
        show_json({"recipient": recipient, "mails": done.mails, "closed": done.closed})
    elif done.mails:
        out.print(f"{recipient}: added, its mail goes out", markup=False)
    for why in done.closed.values():
        if not as_json:
            out.print(f"{recipient}: added, but held: {visible(why)}", markup=False)
        raise typer.Exit(1)


@followup_app.command("withdraw")
def withdraw_command(
    campaign: CampaignId,
    reason: Reason = "",
    agree: Annotated[
        bool, typer.Option("--agree", help="Agree, as the second person, to what was proposed.")
    ] = False,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Withdraw a notice: one proposes with a reason, a second one agrees; who got it is told."""
    if agree is bool(reason.strip()):
        raise Refused("which", "say why with --reason to propose it, or --agree to agree")
    with desk(home, officer) as at:
        by = Officer(id=officer, channel=CHANNEL, reason=reason.strip())
        rules = at.profile.notices[NoticeKind.WITHDRAWAL]
        done = asyncio.run(_commands(at).withdraw(campaign, by, rules))
    if as_json:
        show_json(
            {
                "campaign": campaign,
                "withdrawn": done.approved,
                "held": done.held,
                "told": done.told,
            }
        )
        return
    out.print(f"{done.held} mail(s) held", markup=False)
    if done.approved:
        out.print(f"{campaign} is withdrawn; {done.told} contact(s) that got it are told")
    else:
        out.print(
            f"{done.told} contact(s) have it. A second person agrees with "
            f"'leerp campaign withdraw {campaign} --agree'",
            markup=False,
        )


def _commands(at: Desk) -> MailCommands:
    return MailCommands(
        at.app.database,
        at.app.temporal,
        task_queue=at.app.settings.temporal.task_queue,
        message_key=at.app.keys.acknowledgement,
    )


def _said(campaign: str, recipient: str, officer: str, reason: str) -> Said:
    return Said(
        campaign_id=campaign,
        recipient_id=recipient,
        officer=officer,
        channel=CHANNEL,
        reason=reason,
    )


def _attempt(said: Said, command: str) -> Attempt:
    return Attempt(
        officer=said.officer,
        command=f"campaign {command}",
        subject=said.campaign_id,
        channel=said.channel,
    )
