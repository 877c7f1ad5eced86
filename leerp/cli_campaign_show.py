"""``leerp campaign show | watch | export``: how a warning is getting through."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table
from sqlalchemy import Connection

from infra.bootstrap import App
from leerp.files import write_file
from leerp.home import open_app
from leerp.options import HOME, CampaignId, Home, Json
from leerp.output import out, show_fields, show_json, show_rows
from notifications.attachments import pdf_of
from notifications.campaign_list import campaign_of
from notifications.campaign_map import campaign_map
from notifications.campaign_pace import Pace, pace_of
from notifications.campaign_report import as_csv, as_html, lateness, mails_as_rows
from notifications.campaign_timeline import timeline
from notifications.campaign_trouble import destinations, kinds
from notifications.campaign_view import CampaignView, Person, Standing, Wanted, by_group
from notifications.template_use import unfit_templates
from protocol.errors import Refused

States = Annotated[
    list[str] | None,
    typer.Option("--state", help="Of mails (unknown, refused, ...) or recipients (silent, ...)."),
]
Classes = Annotated[list[str] | None, typer.Option("--class", help="Class of recipients.")]
Countries = Annotated[
    list[str] | None, typer.Option("--country", help="ISO code, or - for those without.")
]
Overdue = Annotated[bool, typer.Option("--overdue", help="With something that is late.")]

LOOK_EVERY_S = 1.0
LISTED = 20
"""Lines of a table that a person reads at once; the rest is counted."""
COUNTS = (
    *("recipients", "accepted", "sending", "queued", "retry_due", "unknown", "refused", "held"),
    *("acknowledged", "escalated"),
)
MAIL_COLUMNS = (
    *("recipient", "class", "country", "standing", "contact", "reminder", "state", "attempts"),
    *("reason", "overdue"),
)
PERSON_COLUMNS = (
    *("contact", "address", "reminder", "variant", "state", "attempts", "reply", "reason"),
    *("due_at", "accepted_at"),
)
TEMPLATE_COLUMNS = ("template", "since", "reason", "what_to_do")
GROUP_COLUMNS = ("group", "recipients", *reversed(Standing))


def show_command(
    campaign: CampaignId,
    recipient: Annotated[
        str | None, typer.Argument(help="Show what happened to this recipient.")
    ] = None,
    state: States = None,
    recipient_class: Classes = None,
    country: Countries = None,
    overdue: Overdue = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """How it stands: counts, a map, what is late and what to do; or one recipient's story."""
    wanted = _wanted(state, recipient_class, country, overdue=overdue)
    with open_app(home) as opened, opened.database.read() as connection:
        view = CampaignView.load(connection, campaign, datetime.now(UTC))
        if recipient is not None:
            _show_person(connection, view, recipient, as_json=as_json)
            return
        found = _found(connection, opened, view, wanted)
    if as_json:
        show_json(found)
    else:
        _print(found, view, filtered=wanted != Wanted())


def watch_command(
    campaign: CampaignId,
    acknowledged: Annotated[
        bool, typer.Option("--acknowledged", help="Until everybody has acknowledged.")
    ] = False,
    home: Home = HOME,
) -> None:
    """Watch progress, rate and expected end until every mail is settled; Ctrl-C ends it."""
    with open_app(home) as opened, Live(console=out, auto_refresh=False) as live:
        while True:
            now = datetime.now(UTC)
            with opened.database.read() as connection:
                found = campaign_of(connection, campaign)
                pace = pace_of(connection, campaign, now)
            live.update(_table(found, pace, now), refresh=True)
            open_ones = found["recipients"] - found["acknowledged"] if acknowledged else 0
            if not found["pending"] and not open_ones:
                return
            time.sleep(LOOK_EVERY_S)


def export_command(
    campaign: CampaignId,
    file: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, .csv or .pdf.", dir_okay=False)
    ],
    state: States = None,
    recipient_class: Classes = None,
    country: Countries = None,
    overdue: Overdue = False,
    home: Home = HOME,
) -> None:
    """Write each mail with its state and times, as CSV or as PDF for the file."""
    wanted = _wanted(state, recipient_class, country, overdue=overdue)
    ending = file.suffix.lower()
    if ending not in {".csv", ".pdf"}:
        raise Refused("no-format", f"{file}: end its name with .csv or .pdf")
    with open_app(home) as opened, opened.database.read() as connection:
        view = CampaignView.load(connection, campaign, datetime.now(UTC))
        policy = opened.settings.delivery.unknown_policy
    people = view.only(wanted)
    content = (
        as_csv(people).encode()
        if ending == ".csv"
        else pdf_of(as_html(view, people, policy), instead="write a .csv")
    )
    write_file(file, content)
    out.print(f"{len(mails_as_rows(people))} mails in {file}", markup=False, soft_wrap=True)


def _wanted(
    states: list[str] | None,
    classes: list[str] | None,
    countries: list[str] | None,
    *,
    overdue: bool,
) -> Wanted:
    return Wanted(
        states=frozenset(states or ()),
        classes=frozenset(classes or ()),
        countries=frozenset(code.upper() for code in countries or ()),
        overdue=overdue,
    )


def _found(
    connection: Connection, opened: App, view: CampaignView, wanted: Wanted
) -> dict[str, Any]:
    people = view.only(wanted)
    policy = opened.settings.delivery.unknown_policy
    return {
        **campaign_of(connection, view.id),
        "acknowledge_by": view.acknowledge_by.isoformat() if view.acknowledge_by else None,
        "states": dict(sorted(view.states.items())),
        "classes": by_group(people, lambda person: person.recipient_class or "unknown"),
        "countries": by_group(people, lambda person: person.country),
        "needs_a_person": kinds(view, policy),
        "destinations": destinations(view),
        "templates": unfit_templates(connection, view.id),
        "overdue": [_late(person) for person in view.overdue if wanted.takes(person)],
        "mails": mails_as_rows(people),
    }


def _late(person: Person) -> dict[str, Any]:
    length = person.overdue
    return {
        "recipient": person.id,
        "what": person.overdue_for,
        "late": lateness(length),
        "seconds": round(length.total_seconds()) if length else 0,
    }


def _print(found: dict[str, Any], view: CampaignView, *, filtered: bool) -> None:
    parts = {
        *("states", "classes", "countries", "needs_a_person", "destinations", "templates"),
        *("overdue", "mails"),
    }
    show_fields({name: found[name] for name in found if name not in parts}, as_json=False)
    out.print()
    out.print(campaign_map(view.people), markup=False)
    _section("by class", found["classes"], GROUP_COLUMNS)
    _section("what needs a person", found["needs_a_person"], ("state", "mails", "what_to_do"))
    columns = ("domain", "course", "mails", "states", "attempts", "next", "reason")
    _section("destinations in trouble", found["destinations"], columns)
    _section("templates in trouble", found["templates"], TEMPLATE_COLUMNS)
    _section("overdue", found["overdue"], ("recipient", "what", "late"))
    settled = {Standing.ACCEPTED, Standing.ACKNOWLEDGED, Standing.SETTLED}
    mails = [mail for mail in found["mails"] if filtered or mail["standing"] not in settled]
    for mail in mails:
        mail["reason"] = mail["reason"] or mail["reply"]
        mail["overdue"] = mail["overdue_for"]
    _section("mails" if filtered else "mails of who needs somebody", mails, MAIL_COLUMNS)
    if not mails:
        out.print("\nno mail to list" if filtered else "\nno recipient needs anybody")


def _section(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    if rows:
        out.print(f"\n[bold]{title}[/]")
        show_rows(rows[:LISTED], as_json=False, columns=columns, empty="")
    if len(rows) > LISTED:
        out.print(
            f"and {len(rows) - LISTED} more: choose with --state, --class, --country or --overdue, "
            "or take --json"
        )


def _show_person(
    connection: Connection, view: CampaignView, recipient: str, *, as_json: bool
) -> None:
    person = view.person(recipient)
    entries = [
        {**asdict(entry), "at": entry.at.isoformat(timespec="seconds")}
        for entry in timeline(connection, view, recipient)
    ]
    mails = [{name: row[name] for name in PERSON_COLUMNS} for row in mails_as_rows((person,))]
    about = {
        "recipient": person.id,
        "organisation": person.organisation,
        "class": person.recipient_class,
        "country": person.country,
        "standing": person.standing,
        "frozen_at": view.frozen_at.isoformat(),
        "acknowledged_at": person.acknowledged_at.isoformat() if person.acknowledged_at else None,
        "overdue": f"{person.overdue_for}, by {lateness(person.overdue)}"
        if person.overdue
        else None,
    }
    if as_json:
        show_json({**about, "mails": mails, "timeline": entries})
        return
    show_fields(about, as_json=False)
    _section("mails", mails, PERSON_COLUMNS)
    out.print("\n[bold]what happened[/]")
    show_rows(entries, as_json=False, columns=("at", "event", "by", "detail"), empty="nothing yet")


def _table(found: dict[str, Any], pace: Pace, now: datetime) -> Table:
    table = Table(title=found["id"], box=None, header_style="bold", caption=_progress(pace, now))
    for name in COUNTS:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_row(*(str(found[name]) for name in COUNTS))
    return table


def _progress(pace: Pace, now: datetime) -> str:
    if not pace.left:
        return "every mail is settled"
    said = f"{pace.left} to send, {pace.per_second:.1f} a second"
    end = pace.end(now)
    if pace.left > pace.later:
        said += f", out by {end:%H:%M:%S} UTC" if end else ", nothing moved for a minute"
    if pace.later and pace.next_due:
        said += f"; {pace.later} wait to be tried again, from {pace.next_due:%H:%M:%S} UTC"
    return said
