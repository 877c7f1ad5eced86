"""Options that many commands share. They take no time to import."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.errors import Refused

CHANNEL = "cli"

Home = Annotated[
    Path, typer.Option("--home", help="Folder of this installation.", envvar="LEERP_HOME")
]
As = Annotated[
    str,
    typer.Option("--as", help="Acting officer's id.", envvar="LEERP_OFFICER", metavar="OFFICER"),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
IncidentId = Annotated[
    str, typer.Argument(metavar="ID", help="Incident, such as inc-0a1b2c3d4e5f.")
]
CampaignId = Annotated[
    str, typer.Argument(metavar="CAMPAIGN", help="Such as inc-0a1b2c3d4e5f.ewn.1.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")]
InputFile = Annotated[
    Path, typer.Option("--file", help="Your input, as TOML or JSON.", exists=True, dir_okay=False)
]
BearingOut = Annotated[
    list[str] | None,
    typer.Option("--by", help="An independent report that bears it out, for digit 3; repeat it."),
]

HOME = Path(".leerp")


def read_file(path: Path) -> dict[str, Any]:
    """An officer's input file, TOML or JSON by its ending.

    Raises:
        Refused: not readable as what its name says; the message has the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise Refused("unreadable", f"{path}: {exc}") from exc
    if not isinstance(found, dict):
        raise Refused("unreadable", f"{path}: must hold one table of fields")
    return found
