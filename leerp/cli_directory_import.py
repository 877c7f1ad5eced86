"""``leerp directory import``: another directory, whole or by the cards of single contacts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from leerp.directory_words import CHANGE_COLUMNS, change_rows
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json
from leerp.output import out, show_json, show_rows
from notifications.directory_document import in_force
from notifications.directory_formats import MOST_BYTES, ReadFile, format_of, read_file
from notifications.directory_import import ImportResult, import_document
from notifications.directory_versions import differences
from protocol.errors import Refused


def import_command(
    file: Annotated[
        Path,
        typer.Argument(help="JSON, CSV, spreadsheet (.xlsx) or vCards (.vcf).", exists=True),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what it would change.")
    ] = False,
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Import a directory; a change of an address or a key waits for a second officer.

    After the first, a duty-manager of the one in force imports. vCards change contacts of
    organisations that are there already.
    """
    file_format = format_of(file)
    if file.stat().st_size > MOST_BYTES:
        raise Refused("directory-invalid", f"{file}: too large to be a directory")
    with open_app(home) as opened:
        with opened.database.read() as connection:
            version, document = in_force(connection)
            read = read_file(file.read_bytes(), file_format, document)
            changes = differences(connection, read.document)[1] if dry_run else ()
        if dry_run:
            _show_dry_run(version, read, change_rows(changes), as_json=as_json)
            return
        result = import_document(
            opened.database,
            read.document,
            by=officer,
            channel=CHANNEL,
            read_beside=version if read.completed else None,
        )
    if as_json:
        show_json(result.model_dump(mode="json"))
    else:
        _show(read, result)


def _show_dry_run(
    version: int, read: ReadFile, rows: list[dict[str, Any]], *, as_json: bool
) -> None:
    if as_json:
        show_json({"version": version, "completed": read.completed, "changes": rows})
        return
    first = f"this would be the first directory: {len(read.document.recipients)} recipients"
    same = f"nothing would change: version {version} holds the same"
    show_rows(rows, as_json=False, columns=CHANGE_COLUMNS, empty=same if version else first)
    if read.completed:
        out.print(read.completed, markup=False)
    if any(row["second_person"] for row in rows):
        out.print("it would wait for a second officer")


def _show(read: ReadFile, result: ImportResult) -> None:
    if read.completed:
        out.print(read.completed, markup=False)
    if result.proposal is None:
        out.print(
            f"directory version {result.version}: {result.recipients} recipients, "
            f"{result.officers} officers" + ("" if result.new else " (unchanged)")
        )
        return
    show_rows(change_rows(result.changes), as_json=False, columns=CHANGE_COLUMNS, empty="")
    out.print(
        f"\nproposal {result.proposal} waits for a second officer, version {result.version} stays in "
        f"force: 'leerp directory proposals {result.proposal}' says whom to call back"
    )
