"""``leerp reports``: what was stored."""

from __future__ import annotations

from typing import Annotated

import typer

from intake.correlation import explain
from leerp.home import open_app
from leerp.link_words import link_words
from leerp.options import HOME, Home, Json
from leerp.output import show_fields, show_json, show_rows
from workflows import overview

reports_app = typer.Typer(no_args_is_help=True, help="Reports that were stored.")


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
