"""``leerp schema``: the form of each document, for the programs of others."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from leerp.schemas import SCHEMAS, schema
from protocol.errors import Refused


def schema_command(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(SCHEMAS)}.")] = "leerp-report",
) -> None:
    """Print the JSON Schema of a document that the project reads or writes."""
    if name not in SCHEMAS:
        raise Refused("unknown-schema", f"there is no schema {name!r}: {', '.join(SCHEMAS)}")
    typer.echo(json.dumps(schema(name), indent=2))
