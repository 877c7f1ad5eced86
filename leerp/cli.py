"""The ``leerp`` command: its groups, and the commands that stand alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from leerp.elsewhere import Elsewhere, with_elsewhere
from leerp.options import HOME, Home, Json
from leerp.output import complain, out

COMMANDS = {
    "incidents": Elsewhere(
        "leerp.cli_incidents:incidents_app",
        "Incidents: look, assess, decide, respond.",
    ),
    "assessment": Elsewhere(
        "leerp.cli_reassessment:assessment_app",
        "Versions of an incident's assessment, and what changed between them.",
    ),
    "tasks": Elsewhere(
        "leerp.cli_reassessment:tasks_app",
        "What has to be verified or looked at again, by whom, until when.",
    ),
    "reports": Elsewhere(
        "leerp.cli_reports:reports_app",
        "Reports that were stored.",
    ),
    "triage": Elsewhere(
        "leerp.cli_triage:triage_app",
        "Clusters that are no incidents yet, the most urgent first; merge, split, undo.",
    ),
    "quarantine": Elsewhere(
        "leerp.cli_quarantine:quarantine_app",
        "Records that could not be accepted.",
    ),
    "sources": Elsewhere(
        "leerp.cli_sources:sources_app",
        "Who sends reports, and how reliable each source is.",
    ),
    "campaign": Elsewhere(
        "leerp.cli_campaign:campaign_app",
        "How a warning is getting through, and what to do about single mails.",
    ),
    "bounces": Elsewhere(
        "leerp.cli_bounces:bounces_app",
        "What mail servers answer to warnings: bounces, delays and receipts.",
    ),
    "permissions": Elsewhere(
        "leerp.cli_permissions:permissions_app",
        "Whose word opens what, for whom, until when: recorded with evidence, and revoked.",
    ),
    "locks": Elsewhere(
        "leerp.cli_locks:locks_app",
        "What may go to whom, why not, and what would open it.",
    ),
    "directory": Elsewhere(
        "leerp.cli_directory:directory_app",
        "Who is warned, with which keys and rights.",
    ),
    "templates": Elsewhere(
        "leerp.cli_templates:templates_app",
        "Notices in your own words and layout: check, preview, install with a second officer.",
    ),
    "audit": Elsewhere(
        "leerp.cli_audit:audit_app",
        "The audit trail: verify it, export it.",
    ),
    "bridge": Elsewhere(
        "leerp.cli_bridge:bridge_app",
        "Reports out of other systems, as they come.",
    ),
    "matrix": Elsewhere(
        "leerp.cli_matrix:matrix_app",
        "The threat classification matrix, and alternatives to it.",
    ),
    "report": Elsewhere(
        "leerp.cli_report:report",
        "Publish report files to Kafka, in order.",
    ),
    "classify": Elsewhere(
        "leerp.cli_classify:classify_command",
        "Classify evidence without any service.",
    ),
    "rehearse": Elsewhere(
        "leerp.cli_rehearse:rehearse_command",
        "Replay an attack hour by hour, without any service.",
    ),
    "schema": Elsewhere(
        "leerp.cli_schema:schema_command",
        "The JSON Schema of a document that the project reads or writes.",
    ),
    "bench": Elsewhere(
        "leerp.cli_bench:bench_app",
        "Measure this machine against controls in the same run.",
    ),
}

cli = typer.Typer(
    cls=with_elsewhere(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The EU Law Enforcement Emergency Response Protocol as running software.",
)


@cli.command()
def up(
    home: Home = HOME,
    exercise: Annotated[
        bool, typer.Option("--exercise", help="Everything in this home is an exercise.")
    ] = False,
) -> None:
    """Start services and processes, and keep them up until Ctrl-C."""
    from infra.settings import Settings
    from leerp.up import run_up

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
    from leerp.doctor import run_doctor

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


def main() -> None:
    """Run the command line; what can be put right becomes a sentence and an exit code."""
    try:
        cli()
    except BaseExceptionGroup as group:
        from leerp.failures import all_explained

        found = all_explained(group)
        if found is None:
            raise
        sys.exit(max(complain(each) for each in found))
    except Exception as exc:
        from leerp.failures import explained

        said = explained(exc)
        if said is None:
            raise
        sys.exit(complain(said))
