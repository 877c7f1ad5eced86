"""``leerp reports``: what was stored."""

from __future__ import annotations

from typing import Annotated

import typer

from intake.facts import IN_FORCE, listed_facts, report_facts
from intake.links import explain
from leerp.cli_grading import add_grading_commands
from leerp.home import open_app
from leerp.link_words import link_words, weighed
from leerp.options import HOME, Home, Json
from leerp.output import show_fields, show_json, show_rows
from leerp.report_words import grade_words, seen_words, standing_words, told_words
from workflows import overview

reports_app = typer.Typer(no_args_is_help=True)
add_grading_commands(reports_app)


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
        facts = listed_facts(connection, [row["id"] for row in rows])
    out_of_force = any(each["standing"] != IN_FORCE for each in facts.values())
    standing = ("standing",) if out_of_force else ()
    show_rows(
        [{**row, **facts[row["id"]]} for row in rows],
        as_json=as_json,
        columns=("id", "incident", "group", "reporter", "grade", "seen", *standing, "title"),
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
        facts = report_facts(connection, report_id)
        links = explain(connection, report_id)
        rules = opened.settings.profile().correlation
    shown = [
        {
            **each,
            "indicators": weighed(each["reason"]["shared"], rules),
            "words": link_words(each, rules),
        }
        for each in links
    ]
    if as_json:
        show_json({**details, **facts, "links": shown})
        return
    del details["duplicates"]
    in_words = {
        "evaluations": [grade_words(each) for each in facts["evaluations"]],
        "seen": seen_words(facts),
        "standing": standing_words(facts),
        "told by": told_words(facts),
        "links": [each["words"] for each in shown],
    }
    show_fields({**details, **in_words}, as_json=False)
