"""``leerp audit``: verify and export the audit trail."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from infra import audit
from leerp.home import open_app
from leerp.options import HOME, Home, Json
from leerp.output import REFUSED, out, show_json

audit_app = typer.Typer(no_args_is_help=True)


@audit_app.command()
def verify(home: Home = HOME, as_json: Json = False) -> None:
    """Read the whole chain and name the first row that does not hold."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = audit.verify(connection)
    if as_json:
        show_json(
            {
                "rows": found.rows,
                "verified": found.verified,
                "bad_row": found.bad_row,
                "reason": found.reason,
            }
        )
    elif found.verified:
        out.print(f"verified: {found.rows} rows, each follows the one before")
    else:
        out.print(f"[bold red]broken:[/] {found.reason}; {found.rows} rows before it hold")
    if not found.verified:
        raise typer.Exit(REFUSED)


@audit_app.command()
def export(
    home: Home = HOME,
    as_json: Annotated[  # noqa: ARG001 (accepted as by every other command)
        bool, typer.Option("--json", help="As without: rows are JSON always.")
    ] = False,
) -> None:
    """Print every row, one JSON object a line."""
    with open_app(home) as opened, opened.database.read() as connection:
        for row in audit.export(connection):
            typer.echo(json.dumps(row, ensure_ascii=False))
