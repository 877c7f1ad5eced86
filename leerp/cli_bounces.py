"""``leerp bounces``: what mail servers sent back about our mails."""

from __future__ import annotations

from dataclasses import asdict

import typer

from leerp.bounces import read_bounces
from leerp.home import open_app
from leerp.options import HOME, Home, Json
from leerp.output import show_fields

bounces_app = typer.Typer(no_args_is_help=True)


@bounces_app.command("read")
def read_command(home: Home = HOME, as_json: Json = False) -> None:
    """Read the inbox of notices once; the worker does so every minute by itself."""
    with open_app(home) as opened:
        read = read_bounces(opened)
    show_fields(asdict(read), as_json=as_json)
