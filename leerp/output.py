"""How commands answer: a table for people, JSON for programs, and an exit code that says which."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from protocol.errors import LeerpError, ServiceDown

PIPED_WIDTH = 160
DONE, REFUSED, USAGE, DOWN = 0, 1, 2, 3

BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
"""Characters that reorder what is shown."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True, highlight=False)


def progress_bar() -> Progress:
    """A bar on a terminal only, which is gone at the end; standard output stays what it is."""
    return Progress(
        console=err,
        transient=True,
        disable=not err.is_terminal,
        redirect_stdout=out.is_terminal,
    )


def show_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def show_rows(
    rows: Sequence[Mapping[str, Any]], *, as_json: bool, columns: Iterable[str], empty: str
) -> None:
    """Print rows as JSON or as a table of the named columns; say ``empty`` when there are none."""
    if as_json:
        show_json(list(rows))
        return
    if not rows:
        out.print(empty)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    out.print(table)


def show_fields(value: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing: as JSON, or a line for each field that has something to say."""
    if as_json:
        show_json(value)
        return
    table = Table.grid(padding=(0, 2))
    for name, field in value.items():
        if field not in (None, "", [], {}, ()):
            table.add_row(f"[bold]{name}[/]", _cell(field))
    out.print(table)


def complain(exc: LeerpError) -> int:
    """Say what is wrong and return the exit code for it."""
    err.print(
        f"[bold red]{'down' if isinstance(exc, ServiceDown) else 'refused'}:[/] {escape(str(exc))}"
    )
    return DOWN if isinstance(exc, ServiceDown) else REFUSED


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple() if all(isinstance(item, str) for item in value):
            return escape(visible("\n".join(value)))
        case list() | tuple() | dict():
            return escape(visible(json.dumps(value, indent=1, ensure_ascii=False, default=str)))
        case _:
            return escape(visible(str(value)))


def visible(text: str) -> str:
    """Make control characters visible: report text must not drive an officer's terminal."""
    return "".join(
        ch if ch in "\n\t" or (ch.isprintable() and ch not in BIDI) else f"\\u{ord(ch):04x}"
        for ch in text
    )
