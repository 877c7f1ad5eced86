"""``leerp incidents document``: the Initial Threat Assessment as a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from leerp.desk import desk
from leerp.files import write_file
from leerp.options import CHANNEL, HOME, As, Home, IncidentId, Json
from leerp.output import out, show_json
from notifications.attachments import pdf_of
from notifications.authority import Attempt
from notifications.threat_assessment import ThreatDocument, as_html, as_json
from protocol.errors import Refused
from workflows.threat_assessment import EXPORT, export_threat_assessment


class Form(StrEnum):
    """What the document can be written as."""

    PDF = "pdf"
    HTML = "html"
    JSON = "json"


def document(
    incident_id: IncidentId,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write.", dir_okay=False, writable=True)
    ],
    form: Annotated[
        Form | None, typer.Option("--format", help="By the file's ending if not given.")
    ] = None,
    version: Annotated[int | None, typer.Option(min=1, help="The newest if not given.")] = None,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Write the Initial Threat Assessment to a file; what 'assess' completed (R16)."""
    chosen = form or _by_ending(output)
    with desk(home, officer) as at:
        attempt = Attempt(officer=officer, command=EXPORT, subject=incident_id, channel=CHANNEL)
        made, content = export_threat_assessment(
            at.app.database,
            attempt,
            chosen,
            lambda document: _written(document, chosen),
            version=version,
        )
    write_file(output, content)
    if as_json:
        show_json(
            {
                "incident": incident_id,
                "version": made.version,
                "digest": made.digest,
                "format": chosen,
                "file": str(output),
                "marking": list(made.marking_lines),
            }
        )
        return
    out.print(f"version {made.version} is in {output}", markup=False, soft_wrap=True)
    out.print(f"marked {'; '.join(made.marking_lines)}", markup=False, soft_wrap=True)


def _written(made: ThreatDocument, form: Form) -> bytes:
    match form:
        case Form.PDF:
            return pdf_of(as_html(made))
        case Form.HTML:
            return as_html(made).encode()
        case Form.JSON:
            return as_json(made)


def _by_ending(output: Path) -> Form:
    ending = output.suffix.removeprefix(".").lower()
    if ending not in set(Form):
        raise Refused("no-format", f"{output}: say what to write with --format {' | '.join(Form)}")
    return Form(ending)
