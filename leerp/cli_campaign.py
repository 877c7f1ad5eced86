"""``leerp campaign``: how a warning is getting through, and what to do about single mails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leerp.cli_campaign_audit import audit_command
from leerp.cli_campaign_show import COUNTS, export_command, show_command, watch_command
from leerp.cli_followup import followup_app
from leerp.desk import desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, CampaignId, Home, Json, Reason
from leerp.output import out, show_json, show_rows, visible
from notifications.campaign_list import campaigns
from notifications.handling import Act, Order
from protocol.errors import Refused
from workflows.mail_commands import MailCommands

campaign_app = typer.Typer(no_args_is_help=True)
campaign_app.add_typer(followup_app)

Recipients = Annotated[
    list[str] | None, typer.Option("--recipient", help="Recipient id; may be repeated.")
]
Everybody = Annotated[bool, typer.Option("--all", help="All mails that are in a state for it.")]


@campaign_app.command("list")
def list_command(
    incident: Annotated[str | None, typer.Option(help="Of this incident only.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Campaigns, the newest first, with how many mails are in which state."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = campaigns(connection, incident)
    show_rows(
        rows,
        as_json=as_json,
        columns=("id", "at", *(name for name in COUNTS if name not in {"sending", "escalated"})),
        empty="no campaigns yet: the first goes out when a coordination centre is set up",
    )


campaign_app.command("show")(show_command)
campaign_app.command("watch")(watch_command)


def _act_command(act: Act) -> Callable[..., None]:
    def command(
        campaign: CampaignId,
        reason: Reason = "",
        recipient: Recipients = None,
        everybody: Everybody = False,
        officer: As = "",
        home: Home = HOME,
        as_json: Json = False,
    ) -> None:
        order = _order(act, recipient, everybody=everybody, officer=officer, reason=reason)
        _handle(home, campaign, order, as_json=as_json)

    return command


for _act, _help in {
    Act.HOLD: "Keep back mails that were not sent yet.",
    Act.RELEASE: "Send what was held, to those whose locks are open by now.",
    Act.RESEND: "Send again what was refused, or of which nobody knows whether it was taken; to a"
    " named recipient also what a server took, at a wrong address or for nobody to see.",
}.items():
    campaign_app.command(_act.value, help=_help)(_act_command(_act))


campaign_app.command("export")(export_command)
campaign_app.command("audit")(audit_command)


def _order(
    act: Act, recipients: list[str] | None, *, everybody: bool, officer: str, reason: str
) -> Order:
    if bool(recipients) is everybody:
        raise Refused("whose", f"say whose mails to {act}: --recipient ID (repeat it), or --all")
    return Order(
        act=act,
        recipients=frozenset(recipients or ()),
        officer=officer,
        reason=reason,
        channel=CHANNEL,
    )


def _handle(home: Path, campaign: str, order: Order, *, as_json: bool) -> None:
    with desk(home, order.officer) as at:
        commands = MailCommands(
            at.app.database,
            at.app.temporal,
            task_queue=at.app.settings.temporal.task_queue,
            message_key=at.app.keys.acknowledgement,
        )
        handled = asyncio.run(commands.handle(campaign, order))
    if as_json:
        show_json({"act": order.act, "mails": handled.mails, "closed": handled.closed})
        return
    done = {Act.HOLD: "held", Act.RELEASE: "released", Act.RESEND: "to be sent again"}[order.act]
    out.print(f"{len(handled.mails)} mail(s) {done}")
    for recipient, why in handled.closed.items():
        out.print(f"{recipient} stays as it is: {visible(why)}", markup=False)
    if handled.closed:
        raise typer.Exit(1)
