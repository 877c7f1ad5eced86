"""``leerp directory``: who is warned, with which keys and rights."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json
from leerp.output import out, show_json, show_rows
from notifications.directory import Directory, officers
from notifications.directory_check import check
from notifications.directory_import import import_directory

directory_app = typer.Typer(no_args_is_help=True, help="Who is warned, with which keys and rights.")


@directory_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="JSON with recipients and officers.", exists=True)],
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Import a directory as a whole; after the first, a duty-manager of the one in force does."""
    with open_app(home) as opened:
        text = file.read_text(encoding="utf-8")
        result = import_directory(opened.database, text, by=officer, channel=CHANNEL)
    if as_json:
        show_json(result.model_dump(mode="json"))
    else:
        out.print(
            f"directory version {result.version}: {result.recipients} recipients, "
            f"{result.officers} officers" + ("" if result.new else " (unchanged)")
        )


@directory_app.command("list")
def list_command(home: Home = HOME, as_json: Json = False) -> None:
    """The recipients of the newest version."""
    with open_app(home) as opened, opened.database.read() as connection:
        directory = Directory.load(connection)
    show_rows(
        [
            {
                "id": r.id,
                "class": r.recipient_class,
                "country": r.country,
                "organisation": r.organisation,
                "contacts": len(r.contacts),
                "keys": sum(1 for c in r.contacts if c.certificate),
            }
            for r in directory.recipients
        ],
        as_json=as_json,
        columns=("id", "class", "country", "organisation", "contacts", "keys"),
        empty="the directory is empty: 'leerp directory import FILE'",
    )


@directory_app.command("officers")
def officers_command(home: Home = HOME, as_json: Json = False) -> None:
    """Who may act with --as, and in which roles."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = [found.model_dump(mode="json") for found in officers(connection)]
    show_rows(
        rows,
        as_json=as_json,
        columns=("id", "name", "organisation", "roles"),
        empty="no officers yet: 'leerp directory import FILE'",
    )


@directory_app.command("check")
def check_command(home: Home = HOME, as_json: Json = False) -> None:
    """Keys that are missing or expire, second contacts that are missing, classes without anyone."""
    with open_app(home) as opened, opened.database.read() as connection:
        findings = check(Directory.load(connection), datetime.now(UTC))
    rows = [finding.model_dump(mode="json") for finding in findings]
    show_rows(rows, as_json=as_json, columns=tuple(rows[0]) if rows else (), empty="nothing found")
