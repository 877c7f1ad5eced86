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

from infra.bootstrap import configure_logging
from leerp.output import REFUSED, out
from protocol.errors import Refused

bench_app = typer.Typer(
    no_args_is_help=True, help="Measure this machine against controls in the same run."
)

REPORTS, ROUNDS, LOAD_SECONDS = 200_000, 5, 20.0
FEWEST = 3_000
"""Reports, below which a run is a batch or two and has no rate."""
SHORT_REPORTS, SHORT_ROUNDS, SHORT_LOAD_SECONDS = 20_000, 2, 8.0


@bench_app.callback()
def bench() -> None:
    """One command a bench."""


@bench_app.command()
def intake(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the measurement here.")
    ] = None,
    svg_file: Annotated[
        Path | None, typer.Option("--svg", help="Write a chart of the rates here.")
    ] = None,
    reports: Annotated[
        int | None, typer.Option(min=FEWEST, help=f"Reports of a run.  [default: {REPORTS:,}]")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help=f"Rounds of each ratio.  [default: {ROUNDS}]")
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help=f"{SHORT_REPORTS:,} reports, {SHORT_ROUNDS} rounds.")
    ] = False,
    database: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="A PostgreSQL server, as postgresql+psycopg://USER@HOST:PORT without a database:"
            " databases are made and dropped there. Else one is started here if it is installed.",
        ),
    ] = "",
    keep: Annotated[
        Path | None,
        typer.Option("--keep", help="An empty folder to work in; what failed is left there."),
    ] = None,
) -> None:
    """Measure intake, from Kafka to the database; exits 0 only if every gate holds."""
    from leerp.bench.chart import draw
    from leerp.bench.intake import bench_intake
    from leerp.bench.plan import Plan
    from leerp.bench.screen import Screen, absolute_table, ratio_table
    from leerp.up import until_signal

    plan = Plan(
        reports=reports or (SHORT_REPORTS if short else REPORTS),
        rounds=rounds or (SHORT_ROUNDS if short else ROUNDS),
        load_seconds=SHORT_LOAD_SECONDS if short else LOAD_SECONDS,
        database=_server(database),
    )
    _quiet()
    with _folder(keep) as folder:
        result = asyncio.run(until_signal(bench_intake(folder, plan, Screen(out))))
    if result is None:
        out.print("stopped before the end")
        raise typer.Exit(REFUSED)
    if json_file:
        json_file.write_text(json.dumps(result.to_json(), indent=2) + "\n")
    if svg_file:
        title = f"leerp bench intake, {plan.reports:,} reports, {result.machine['cpu']}"
        svg_file.write_text(draw(title, result.curves, plan.reports))
    out.print(ratio_table("leerp bench intake", result.ratios))
    out.print(absolute_table(result.absolute))
    if not result.holds:
        raise typer.Exit(REFUSED)


def _server(url: str) -> str:
    if url and not url.startswith("postgresql+psycopg://"):
        raise Refused(
            "bad-database", "--database is of the form postgresql+psycopg://USER@HOST:PORT"
        )
    return url.rstrip("/")


def _quiet() -> None:
    """Nothing on the screen but the measurement: clients try again what a new broker refuses."""
    configure_logging(logging.ERROR)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    os.umask(0o077)  # what the homes hold is for their owner only
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise Refused("not-empty", f"{keep} is not empty: name a new folder with --keep")
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="leerp-bench-") as made:
        yield Path(made)
