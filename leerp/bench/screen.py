"""What a person sees while a bench runs, and at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from leerp.bench.ratios import Ratio

Told = Callable[[int], None]
"""Takes how far a step is."""


class Screen:
    """Progress of one step after the other; each leaves one line."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Told]:
        """Show ``name`` while the block runs; the value takes how far it is."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        begun = time.monotonic()
        with Progress(
            *(*columns, TimeElapsedColumn()),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        ) as progress:
            task = progress.add_task(name, total=total)
            yield lambda done: progress.update(task, completed=done)
        self.say(f"{name}: {time.monotonic() - begun:.0f} s")

    def say(self, line: str) -> None:
        """A line that stays."""
        self.console.print(line, style="dim", soft_wrap=True)


def ratio_table(title: str, ratios: Mapping[str, Ratio]) -> Table:
    """Every ratio with its gate, and whether it holds."""
    table = Table(title=title, box=SIMPLE, pad_edge=False)
    for column in ("", "ratio", "gate", "", "subject", "control"):
        table.add_column(column, no_wrap=True)
    table.add_column("what", overflow="fold")
    for name, ratio in ratios.items():
        gate = ratio.measure.gate
        table.add_row(
            name,
            _figure(ratio.value),
            str(gate or ""),
            "" if gate is None else "[green]holds[/]" if ratio.holds else "[red]fails[/]",
            _figure(ratio.subject),
            _figure(ratio.control),
            f"{ratio.measure.what} ({ratio.measure.unit})"
            + (f". {ratio.note}" if ratio.note else ""),
        )
    return table


def absolute_table(figures: Mapping[str, Any]) -> Table:
    """Absolute figures, which hold no gate."""
    table = Table("figure", "value", title="absolute", box=SIMPLE, pad_edge=False)
    for name, value in _flat(figures):
        table.add_row(name, _figure(value) if isinstance(value, int | float) else str(value))
    return table


def _flat(figures: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name} ")
        elif not isinstance(value, list):
            yield above + name, value


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
