"""``leerp bench``: what this machine reaches, measured against controls in the same run."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from infra.bootstrap import configure_logging
from leerp.output import REFUSED

bench_app = typer.Typer(
    no_args_is_help=True, help="Measure this machine against controls in the same run."
)

REPORTS, ROUNDS = 200_000, 5
SHORT_REPORTS, SHORT_ROUNDS = 20_000, 2


@bench_app.callback()
def bench() -> None:
    """One command a bench."""


@bench_app.command()
def intake(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the measurement here.")
    ] = None,
    reports: Annotated[
        int | None, typer.Option(min=1_000, help=f"Reports of a run.  [default: {REPORTS:,}]")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help=f"Rounds of each ratio.  [default: {ROUNDS}]")
    ] = None,
    short: Annotated[
        bool,
        typer.Option(
            "--short", help=f"{SHORT_REPORTS:,} reports and {SHORT_ROUNDS} rounds, in minutes."
        ),
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", help="An empty folder to work in; it is left as it is."),
    ] = None,
) -> None:
    """Measure intake, from Kafka to the database; exits 0 only if every gate holds."""
    from leerp.bench.intake import Plan, bench_intake
    from leerp.bench.screen import Screen, absolute_table, ratio_table

    plan = Plan(
        reports=reports or (SHORT_REPORTS if short else REPORTS),
        rounds=rounds or (SHORT_ROUNDS if short else ROUNDS),
    )
    configure_logging(logging.ERROR)
    console = Console()
    with _folder(keep) as folder:
        result = asyncio.run(bench_intake(folder, plan, Screen(console)))
    if json_file:
        json_file.write_text(json.dumps(result.to_json(), indent=2) + "\n")
    console.print(ratio_table("leerp bench intake", result.ratios))
    console.print(absolute_table(result.absolute))
    if not result.holds:
        raise typer.Exit(REFUSED)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    os.umask(0o077)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="leerp-bench-") as made:
        yield Path(made)
