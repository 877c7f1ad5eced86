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
from typing import TYPE_CHECKING, Annotated

import typer

from infra.bootstrap import configure_logging
from leerp.output import REFUSED, out
from protocol.errors import Refused

if TYPE_CHECKING:
    from leerp.bench.result import Result

bench_app = typer.Typer(no_args_is_help=True)

REPORTS, ROUNDS, LOAD_SECONDS = 200_000, 5, 20.0
FEWEST = 3_000
"""Reports, below which a run is a batch or two and has no rate."""
SHORT_REPORTS, SHORT_ROUNDS, SHORT_LOAD_SECONDS = 20_000, 2, 8.0
RECIPIENTS, SHORT_RECIPIENTS, FEWEST_RECIPIENTS = 10_000, 2_000, 20

JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the measurement here.")]
SvgFile = Annotated[Path | None, typer.Option("--svg", help="Write a chart of the rates here.")]
Rounds = Annotated[
    int | None, typer.Option(min=1, help=f"Rounds of each ratio.  [default: {ROUNDS}]")
]
Keep = Annotated[
    Path | None,
    typer.Option("--keep", help="An empty folder to work in; what failed is left there."),
]


@bench_app.callback()
def bench() -> None:
    """One command a bench."""


@bench_app.command()
def intake(
    json_file: JsonFile = None,
    svg_file: SvgFile = None,
    reports: Annotated[
        int | None, typer.Option(min=FEWEST, help=f"Reports of a run.  [default: {REPORTS:,}]")
    ] = None,
    rounds: Rounds = None,
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
    keep: Keep = None,
) -> None:
    """Measure intake, from Kafka to the database; exits 0 only if every gate holds."""
    from leerp.bench.intake import bench_intake
    from leerp.bench.plan import Plan
    from leerp.bench.screen import Screen
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
    _show(result, json_file, svg_file, total=plan.reports, unit="reports")


@bench_app.command()
def campaign(
    json_file: JsonFile = None,
    svg_file: SvgFile = None,
    recipients: Annotated[
        int | None,
        typer.Option(min=FEWEST_RECIPIENTS, help=f"Of a campaign.  [default: {RECIPIENTS:,}]"),
    ] = None,
    rounds: Rounds = None,
    short: Annotated[
        bool,
        typer.Option("--short", help=f"{SHORT_RECIPIENTS:,} recipients, {SHORT_ROUNDS} rounds."),
    ] = False,
    keep: Keep = None,
) -> None:
    """Measure a warning to many, from its release to the last acknowledgement; exits 0 only if every
    gate holds."""
    from leerp.bench.campaign import bench_campaign
    from leerp.bench.campaign_plan import CampaignPlan
    from leerp.bench.screen import Screen
    from leerp.up import until_signal

    plan = CampaignPlan(
        recipients=recipients or (SHORT_RECIPIENTS if short else RECIPIENTS),
        rounds=rounds or (SHORT_ROUNDS if short else ROUNDS),
    )
    _quiet()
    with _folder(keep) as folder:
        result = asyncio.run(until_signal(bench_campaign(folder, plan, Screen(out))))
    _show(result, json_file, svg_file, total=plan.recipients, unit="mails")


def _show(
    result: Result | None, json_file: Path | None, svg_file: Path | None, *, total: int, unit: str
) -> None:
    """Write and print what was found; a gate that does not hold is refused."""
    from leerp.bench.chart import draw
    from leerp.bench.screen import absolute_table, ratio_table

    if result is None:
        out.print("stopped before the end")
        raise typer.Exit(REFUSED)
    name = f"leerp bench {result.bench}"
    if json_file:
        json_file.write_text(json.dumps(result.to_json(), indent=2) + "\n")
    if svg_file:
        title = f"{name}, {total:,} {unit}, {result.machine['cpu']}"
        svg_file.write_text(draw(title, result.curves, total, unit=unit))
    out.print(ratio_table(name, result.ratios))
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
