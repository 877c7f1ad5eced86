"""``leerp campaign``: how a warning is getting through, and what to do about single mails."""

from __future__ import annotations

import asyncio
import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

from leerp.cli_followup import followup_app
from leerp.desk import desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, CampaignId, Home, Json, Reason
from leerp.output import out, show_fields, show_json, show_rows, visible
from notifications.campaign_view import (
    by_country,
    campaign_of,
    campaigns,
    mails_of,
    timeline_of,
)
from notifications.handling import Act, Order
from protocol.errors import Refused
from workflows.mail_commands import MailCommands

campaign_app = typer.Typer(
    no_args_is_help=True,
    help="How a warning is getting through, and what to do about single mails.",
)
campaign_app.add_typer(followup_app)

Recipients = Annotated[
    list[str] | None, typer.Option("--recipient", help="Recipient id; may be repeated.")
]
Everybody = Annotated[bool, typer.Option("--all", help="All mails that are in a state for it.")]

LOOK_EVERY_S = 1.0
COUNTS = (
    *("recipients", "accepted", "sending", "queued", "retry_due", "unknown", "refused", "bounced"),
    *("held", "acknowledged", "escalated"),
)
MAIL_COLUMNS = (
    *("recipient", "country", "contact", "reminder", "variant", "state", "attempts", "reason"),
    "acknowledged_at",
)
FORMULA = ("=", "+", "-", "@")
"""With these a spreadsheet begins a formula."""


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


@campaign_app.command("show")
def show_command(
    campaign: CampaignId,
    recipient: Annotated[
        str | None, typer.Option(help="What happened to the mails of this recipient.")
    ] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Counts, countries, and each mail; what a person must look at comes first."""
    with open_app(home) as opened, opened.database.read() as connection:
        if recipient is not None:
            show_rows(
                timeline_of(connection, campaign, recipient),
                as_json=as_json,
                columns=("at", "event", "by", "detail"),
                empty="nothing has happened yet",
            )
            return
        found, mails = campaign_of(connection, campaign), mails_of(connection, campaign)
    countries = by_country(mails)
    if as_json:
        show_json({**found, "countries": countries, "mails": mails})
        return
    show_fields(found, as_json=False)
    out.print()
    columns = ("country", "recipients", "accepted", "acknowledged", "silent")
    show_rows(countries, as_json=False, columns=columns, empty="")
    out.print()
    show_rows(mails, as_json=False, columns=MAIL_COLUMNS, empty="nobody is in this campaign")


@campaign_app.command("watch")
def watch_command(
    campaign: CampaignId,
    acknowledged: Annotated[
        bool, typer.Option("--acknowledged", help="Until everybody has acknowledged.")
    ] = False,
    home: Home = HOME,
) -> None:
    """Watch the counts until every mail is settled, or everybody has acknowledged; Ctrl-C ends it."""
    with open_app(home) as opened, Live(console=out, auto_refresh=False) as live:
        while True:
            with opened.database.read() as connection:
                found = campaign_of(connection, campaign)
            live.update(_table(found), refresh=True)
            open_ones = found["recipients"] - found["acknowledged"] if acknowledged else 0
            if not found["pending"] and not open_ones:
                return
            time.sleep(LOOK_EVERY_S)


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
    Act.RESEND: "Send again what was refused, or of which nobody knows whether it was taken.",
}.items():
    campaign_app.command(_act.value, help=_help)(_act_command(_act))


@campaign_app.command("export")
def export_command(
    campaign: CampaignId,
    file: Annotated[Path, typer.Option("--output", "-o", help="CSV file to write.")],
    home: Home = HOME,
) -> None:
    """Write each mail with its state and times as CSV, for the file."""
    with open_app(home) as opened, opened.database.read() as connection:
        campaign_of(connection, campaign)
        mails = mails_of(connection, campaign)
    try:
        with file.open("w", newline="", encoding="utf-8") as output:
            writer = csv.DictWriter(output, fieldnames=list(mails[0]))
            writer.writeheader()
            writer.writerows({name: _cell(value) for name, value in mail.items()} for mail in mails)
    except OSError as exc:
        raise Refused("unwritable", f"{file}: {exc.strerror}") from exc
    out.print(f"{len(mails)} mails in {file}")


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


def _table(found: dict[str, Any]) -> Table:
    table = Table(title=found["id"], box=None, header_style="bold")
    for name in COUNTS:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_row(*(str(found[name]) for name in COUNTS))
    return table


def _cell(value: Any) -> Any:
    """As a spreadsheet shows it: a reason that came from a relay must not become a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
