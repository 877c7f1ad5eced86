"""``leerp reports`` and ``leerp quarantine``."""

from __future__ import annotations

from typing import Annotated

import typer

from intake.correlation import explain
from intake.holds import list_holds, resume
from intake.quarantine import list_quarantine, replay, show
from intake.store import open_store
from leerp.home import open_app
from leerp.link_words import link_words
from leerp.options import CHANNEL, HOME, As, Home, Json
from leerp.output import REFUSED, out, show_fields, show_json, show_rows
from notifications.authority import Attempt, administrator, attempted
from workflows import overview

REPLAY = "quarantine replay"
RESUME = "quarantine resume"

reports_app = typer.Typer(no_args_is_help=True, help="Reports that were stored.")
quarantine_app = typer.Typer(no_args_is_help=True, help="Records that could not be accepted.")


@reports_app.command("list")
def list_reports(
    home: Home = HOME,
    incident: Annotated[str | None, typer.Option(help="Of this incident only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest reports with their grades."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = overview.reports(connection, incident, limit)
    show_rows(
        rows,
        as_json=as_json,
        columns=("id", "incident", "group", "reporter", "grade", "duplicates", "title"),
        empty="no reports yet: 'leerp report FILE --group GROUP'",
    )


@reports_app.command("show")
def show_report(
    report_id: Annotated[str, typer.Argument(metavar="ID")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """One report with its grades, and why it is in its incident."""
    with open_app(home) as opened, opened.database.read() as connection:
        details = overview.report_details(connection, report_id)
        links = explain(connection, report_id)
    shown = [{**each, "words": link_words(each)} for each in links]
    if as_json:
        show_json({**details, "links": shown})
    else:
        show_fields({**details, "links": [each["words"] for each in shown]}, as_json=False)


@quarantine_app.command("list")
def list_records(
    home: Home = HOME,
    everything: Annotated[bool, typer.Option("--all", help="Replayed ones too.")] = False,
    as_json: Json = False,
) -> None:
    """What is in quarantine, and why."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = list_quarantine(connection, status=None if everything else "open")
        held = list_holds(connection)
    show_rows(
        rows,
        as_json=as_json,
        columns=("id", "group", "reason", "message", "size", "received_at", "status"),
        empty="nothing in quarantine",
    )
    if held and not as_json:
        out.print(f"\n{len(held)} held back from intake: see 'leerp quarantine holds'")


@quarantine_app.command("holds")
def list_held(
    home: Home = HOME,
    everything: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    as_json: Json = False,
) -> None:
    """Sources that are not read now: since when, why, and what to do."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = list_holds(connection, ended=everything)
    show_rows(
        rows,
        as_json=as_json,
        columns=("place", "since", "until", "why", "what_to_do"),
        empty="every source is read; one that is mostly refused would stand here",
    )


@quarantine_app.command("resume")
def resume_topic(
    topic: Annotated[str, typer.Argument(metavar="TOPIC")],
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Read a held source again at once; a duty-manager of the directory does."""
    with open_app(home) as opened:
        attempt = Attempt(officer=officer, command=RESUME, subject=topic, channel=CHANNEL)
        with attempted(opened.database, attempt) as connection:
            administrator(connection, officer, RESUME)
            places = resume(connection, topic, by=officer, channel=CHANNEL)
    show_rows([{"place": place} for place in places], as_json=as_json, columns=("place",), empty="")


@quarantine_app.command("show")
def show_record(
    record_id: Annotated[int, typer.Argument(metavar="ID")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """One record with the beginning of its body."""
    with open_app(home) as opened, opened.database.read() as connection:
        show_fields(show(connection, record_id), as_json=as_json)


@quarantine_app.command("replay")
def replay_records(
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID...", help="All when none.")] = None,
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Read records again with today's adapters; a duty-manager of the directory does."""
    with open_app(home) as opened:
        attempt = Attempt(officer=officer, command=REPLAY, subject="quarantine", channel=CHANNEL)
        with attempted(opened.database, attempt) as connection:
            administrator(connection, officer, REPLAY)
        store, limits = open_store(opened), opened.settings.intake
        outcomes = replay(opened.database, store, limits, ids or [], by=officer)
    if as_json:
        show_json({str(number): outcome for number, outcome in outcomes.items()})
    else:
        for number, outcome in outcomes.items():
            out.print(f"{number}: {outcome}")
        if not outcomes:
            out.print("nothing in quarantine")
    if any(outcome not in {"stored", "duplicate"} for outcome in outcomes.values()):
        raise typer.Exit(REFUSED)
