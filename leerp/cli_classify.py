"""The command ``leerp classify``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from infra.matrices import find_matrix
from infra.settings import Settings
from leerp.classify import classify, classify_folder
from leerp.classify_view import document, sections, table_rows
from leerp.evidence_file import read_evidence
from leerp.explanation_view import explained
from leerp.options import Json
from leerp.output import DONE, REFUSED, out, show_json, show_rows, visible
from leerp.schemas import schema
from protocol.matrix import Matrix
from protocol.profile import Profile

COLUMNS = ("case", "class", "recommendation", "triggers", "not_passed", "as_expected", "differs")


def classify_command(
    file: Annotated[
        Path | None,
        typer.Argument(help="Evidence: .yaml, .json or .toml; - for JSON or YAML on stdin."),
    ] = None,
    as_json: Json = False,
    table: Annotated[
        bool, typer.Option("--table", help="FILE is a folder: a line for each evidence file in it.")
    ] = False,
    matrix: Annotated[
        str, typer.Option("--matrix", help="Another matrix: its name, or a file.")
    ] = "",
    show_schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of an evidence file.")
    ] = False,
) -> None:
    """Classify evidence without any service: class, reasons, what would change it, scales of others."""
    if show_schema:
        typer.echo(json.dumps(schema("evidence"), indent=2))
        return
    if file is None:
        raise typer.BadParameter("name an evidence file, or - for standard input")
    profile = Settings().profile()
    other = find_matrix(matrix, profile) if matrix else None
    if table:
        raise typer.Exit(_show_table(file, profile, other, as_json=as_json))
    found = classify(read_evidence(file, profile), profile, other)
    why = explained(found.file.items(), found.file.findings, found.profile)
    if as_json:
        show_json(document(found, why))
        return
    for heading, lines in sections(found, why):
        out.print(visible(heading), markup=False)
        for line in lines:
            out.print(f"  {visible(line)}", markup=False, soft_wrap=True)


def _show_table(folder: Path, profile: Profile, matrix: Matrix | None, *, as_json: bool) -> int:
    cases = classify_folder(folder, profile, matrix)
    show_rows(table_rows(cases), as_json=as_json, columns=COLUMNS, empty="no cases")
    return REFUSED if any(case.differs for case in cases) else DONE
