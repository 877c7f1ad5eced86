"""The ``leerp`` command: its groups, and the commands that stand alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.settings import Settings
from leerp.cli_audit import audit_app
from leerp.cli_bench import bench_app
from leerp.cli_bridge import bridge_app
from leerp.cli_campaign import campaign_app
from leerp.cli_classify import classify_command
from leerp.cli_directory import directory_app
from leerp.cli_incidents import incidents_app
from leerp.cli_locks import locks_app
from leerp.cli_matrix import matrix_app
from leerp.cli_permissions import permissions_app
from leerp.cli_quarantine import quarantine_app
from leerp.cli_reassessment import assessment_app, tasks_app
from leerp.cli_rehearse import rehearse_command
from leerp.cli_report import report
from leerp.cli_reports import reports_app
from leerp.cli_sources import sources_app
from leerp.cli_triage import triage_app
from leerp.doctor import run_doctor
from leerp.failures import all_explained, explained
from leerp.options import HOME, Home, Json
from leerp.output import complain, out
from leerp.schemas import SCHEMAS, schema
from leerp.up import run_up
from protocol.errors import Refused

cli = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The EU Law Enforcement Emergency Response Protocol as running software.",
)
cli.add_typer(incidents_app, name="incidents")
cli.add_typer(assessment_app, name="assessment")
cli.add_typer(tasks_app, name="tasks")
cli.add_typer(reports_app, name="reports")
cli.add_typer(triage_app, name="triage")
cli.add_typer(quarantine_app, name="quarantine")
cli.add_typer(sources_app, name="sources")
cli.add_typer(campaign_app, name="campaign")
cli.add_typer(permissions_app, name="permissions")
cli.add_typer(locks_app, name="locks")
cli.add_typer(directory_app, name="directory")
cli.add_typer(audit_app, name="audit")
cli.add_typer(bridge_app, name="bridge")
cli.add_typer(matrix_app, name="matrix")
cli.command("report")(report)
cli.command("classify")(classify_command)
cli.command("rehearse")(rehearse_command)
cli.add_typer(bench_app, name="bench")


@cli.command()
def up(
    home: Home = HOME,
    exercise: Annotated[
        bool, typer.Option("--exercise", help="Everything in this home is an exercise.")
    ] = False,
) -> None:
    """Start services and processes, and keep them up until Ctrl-C."""
    run_up(Settings(home=home.absolute(), exercise=exercise))


@cli.command()
def demo(
    home: Annotated[
        Path | None, typer.Option("--home", help="Folder of the demo; made anew if not given.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the summary of the run here.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Save the board as an SVG picture.")
    ] = None,
) -> None:
    """Watch a simulated WannaCry go from the first reports to closure."""
    from leerp.demo.run import run_demo

    raise typer.Exit(run_demo(home, json_file, picture))


@cli.command()
def doctor(home: Home = HOME, as_json: Json = False) -> None:
    """Say what is there, what is missing, and what to do about it."""
    raise typer.Exit(run_doctor(home, console=out, as_json=as_json))


@cli.command("worker")
def worker_command(home: Home = HOME) -> None:
    """Run one worker process: workflows and their activities."""
    from leerp.processes import run_process
    from leerp.worker import run_worker

    run_process(home, "worker", run_worker)


@cli.command("intake")
def intake_command(home: Home = HOME) -> None:
    """Run one intake process: reports from Kafka into incidents."""
    from leerp.intake import run_intake
    from leerp.processes import run_process

    run_process(home, "intake", run_intake)


@cli.command("console")
def console_command(home: Home = HOME) -> None:
    """Run one web process: the page on which warnings are acknowledged."""
    from leerp.console import run_console
    from leerp.processes import run_process

    run_process(home, "console", run_console)


@cli.command("schema")
def schema_command(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(SCHEMAS)}.")] = "leerp-report",
) -> None:
    """Print the JSON Schema of a document that the project reads or writes."""
    if name not in SCHEMAS:
        raise Refused("unknown-schema", f"there is no schema {name!r}: {', '.join(SCHEMAS)}")
    typer.echo(json.dumps(schema(name), indent=2))


def main() -> None:
    """Run the command line; what can be put right becomes a sentence and an exit code."""
    try:
        cli()
    except BaseExceptionGroup as group:
        found = all_explained(group)
        if found is None:
            raise
        sys.exit(max(complain(each) for each in found))
    except Exception as exc:
        said = explained(exc)
        if said is None:
            raise
        sys.exit(complain(said))
