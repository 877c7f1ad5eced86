"""``leerp directory proposals``: changes of an address or a key, and the second officer's word."""

from __future__ import annotations

from typing import Annotated

import typer

from leerp.desk import desk
from leerp.directory_words import CHANGE_COLUMNS, change_rows
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json, Reason
from leerp.output import out, show_fields, show_json, show_rows
from notifications.directory_proposals import Standing, confirm, decline, proposals, standing

Number = Annotated[int, typer.Argument(metavar="N", help="Number of the proposal.")]


def proposals_command(
    number: Annotated[
        int | None, typer.Argument(metavar="[N]", help="One of them, with all that it changes.")
    ] = None,
    settled: Annotated[bool, typer.Option("--all", help="Also those that are settled.")] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Changes that wait for a second officer; of one, the difference and whom to call back."""
    with open_app(home) as opened, opened.database.read() as connection:
        if number is not None:
            _show(standing(connection, number), as_json=as_json)
            return
        rows = [each.model_dump(mode="json") for each in proposals(connection, settled=settled)]
    show_rows(
        rows,
        as_json=as_json,
        columns=("number", "at", "by", "base", "state", "settled_by", "words", "version"),
        empty="no change of the directory waits for a second officer",
    )


def confirm_command(
    number: Number,
    checked_by: Annotated[
        str,
        typer.Option("--checked-by", help="Whom you called back on the known number, in words."),
    ] = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Put a proposed change in force, as another officer than its proposer, after a call back."""
    with desk(home, officer) as at:
        version = confirm(
            at.app.database, number, by=officer, checked_by=checked_by, channel=CHANNEL
        )
    if as_json:
        show_json({"proposal": number, "version": version})
    else:
        out.print(f"proposal {number} is in force as directory version {version}")


def decline_command(
    number: Number,
    reason: Reason = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Take a proposed change off the list."""
    with desk(home, officer) as at:
        decline(at.app.database, number, by=officer, reason=reason, channel=CHANNEL)
    if as_json:
        show_json({"proposal": number, "state": "declined"})
    else:
        out.print(f"proposal {number} is declined")


def _show(found: Standing, *, as_json: bool) -> None:
    if as_json:
        show_json(found.model_dump(mode="json"))
        return
    show_fields(found.proposal.model_dump(mode="json"), as_json=False)
    if not found.changes:
        return
    out.print()
    show_rows(change_rows(found.changes), as_json=False, columns=CHANGE_COLUMNS, empty="")
    out.print("\n[bold]call back on the number that was known before:[/]")
    rows = [each.model_dump() for each in found.call_back]
    empty = "only officers are concerned: ask them in person"
    show_rows(rows, as_json=False, columns=("recipient", "contact", "phone"), empty=empty)
    out.print(f"then: leerp directory confirm {found.proposal.number} --checked-by '...' --as YOU")
