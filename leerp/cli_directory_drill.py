"""``leerp directory drill``: a test call of the whole list, and how everybody answered."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from leerp.desk import desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json
from leerp.output import out, show_fields, show_json, show_rows
from notifications.drills import drill_report, drills
from protocol.parties import RecipientClass
from workflows.drills import REASON, DrillCommands

drill_app = typer.Typer(
    no_args_is_help=True, help="A test call of the list, and how everybody answered."
)

COLUMNS = ("recipient", "country", "answered", "seconds", "answered_by", "tried", "keys")
MARK = "EXERCISE EXERCISE EXERCISE"


@drill_app.command("start")
def start_command(
    recipient_class: Annotated[
        list[RecipientClass] | None,
        typer.Option("--class", help="Only this class; may be repeated. All if none."),
    ] = None,
    reason: Annotated[str, typer.Option(help="What the test call says it is for.")] = REASON,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Send everybody a test call that asks to be acknowledged; it is PUBLIC and marked EXERCISE."""
    with desk(home, officer) as at:
        commands = DrillCommands(
            at.app.database,
            at.app.temporal,
            profile=at.profile,
            task_queue=at.app.settings.temporal.task_queue,
        )
        started = asyncio.run(
            commands.start(recipient_class or (), by=officer, reason=reason, channel=CHANNEL)
        )
    if as_json:
        show_json(
            {
                "drill": started.drill,
                "campaign": started.campaign,
                "exercise": True,
                "classes": started.classes,
                "left_out": started.left_out,
            }
        )
        return
    out.print(f"{started.drill} is on its way to {', '.join(started.classes)}")
    if started.left_out:
        out.print(f"nobody is in {', '.join(started.left_out)}")
    out.print(
        f"watch it with 'leerp campaign watch {started.campaign}', "
        f"see who answered with 'leerp directory drill report {started.drill}'"
    )


@drill_app.command("list")
def list_command(home: Home = HOME, as_json: Json = False) -> None:
    """Every drill, the newest first."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = [
            report.model_dump(mode="json", exclude={"organisations"})
            for report in drills(connection)
        ]
    show_rows(
        rows,
        as_json=as_json,
        columns=("drill", "started_at", "recipients", "answered", "median_seconds"),
        empty="no drill yet: 'leerp directory drill start --as OFFICER'",
    )


@drill_app.command("report")
def report_command(
    drill: Annotated[str, typer.Argument(metavar="ID", help="Such as drill-0a1b2c3d4e5f.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Who answered, how long it took, who did not, and which keys failed."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = drill_report(connection, drill)
    said = found.model_dump(mode="json")
    if as_json:
        show_json(said)
        return
    rows = said.pop("organisations")
    out.print(f"[bold]{MARK}[/]")
    show_fields(said, as_json=False)
    out.print()
    show_rows(rows, as_json=False, columns=COLUMNS, empty="nobody was called")
    out.print(f"[bold]{MARK}[/]")
