"""``leerp assessment`` and ``leerp tasks``: versions compared, and what waits to be verified."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from infra import taskbook
from infra.taskbook import Task, TaskOutcome
from leerp.desk import desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, IncidentId, Json, Reason
from leerp.output import out, show_fields, show_json, show_rows, visible
from workflows import reassessed
from workflows.taskwork import Taskwork

assessment_app = typer.Typer(no_args_is_help=True)
tasks_app = typer.Typer(no_args_is_help=True)
Number = Annotated[int, typer.Argument(min=1, help="Number of the task, from 'leerp tasks list'.")]
Version = Annotated[int, typer.Argument(min=1, help="Version, from 'leerp assessment list'.")]
COLUMNS = ("incident", "number", "kind", "subject", "claim", "state", "owner", "due_at")


@assessment_app.command("list")
def list_command(incident_id: IncidentId, home: Home = HOME, as_json: Json = False) -> None:
    """Every version: class, levels, recommendation."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = reassessed.versions(connection, incident_id)
    show_rows(
        rows,
        as_json=as_json,
        columns=("version", "at", "class", "impact", "reach", "recommendation"),
        empty=f"nothing is assessed yet: see 'leerp incidents show {incident_id}'",
    )


@assessment_app.command("compare")
def compare_command(
    incident_id: IncidentId,
    before: Version,
    after: Version,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """What changed from one version to another, and why."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = reassessed.compared(connection, incident_id, before, after)
    if as_json:
        show_json(found.model_dump(mode="json"))
        return
    out.print(f"{incident_id}: assessment {before} compared with {after}")
    for sentence in found.why:
        out.print(f"  {visible(sentence)}", markup=False, soft_wrap=True)


@tasks_app.command("list")
def list_tasks_command(
    incident: Annotated[str, typer.Option(help="Every task of this incident, done or not.")] = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Tasks that wait for somebody, the most urgent first."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = (
            taskbook.tasks_of(connection, incident) if incident else taskbook.all_open(connection)
        )
    show_rows(
        reassessed.task_rows(found),
        as_json=as_json,
        columns=COLUMNS,
        empty="no tasks: they come when a launch is held, or when an outlook window has passed",
    )


@tasks_app.command("show")
def show_command(
    incident_id: IncidentId, number: Number, home: Home = HOME, as_json: Json = False
) -> None:
    """One task: what is claimed, by which reports, what would settle it."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = taskbook.get_task(connection, incident_id, number)
    show_fields(_row(found), as_json=as_json)


@tasks_app.command("take")
def take_command(
    incident_id: IncidentId,
    number: Number,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Become the owner of a task."""
    with desk(home, officer) as at:
        work = Taskwork(at.app.database, officer=officer, channel=CHANNEL)
        _answer(work.take(incident_id, number), as_json=as_json)


@tasks_app.command("assign")
def assign_command(
    incident_id: IncidentId,
    number: Number,
    to: Annotated[str, typer.Option("--to", help="Officer who shall do it.")],
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Give a task to another officer."""
    with desk(home, officer) as at:
        work = Taskwork(at.app.database, officer=officer, channel=CHANNEL)
        _answer(work.assign(incident_id, number, to=to), as_json=as_json)


@tasks_app.command("report")
def report_command(
    incident_id: IncidentId,
    number: Number,
    result: Annotated[
        TaskOutcome, typer.Option(help="confirmed, refuted or unclear; done for an outlook task.")
    ],
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Say what your task came to; what you found counts once it is a graded report."""
    with desk(home, officer) as at:
        work = Taskwork(at.app.database, officer=officer, channel=CHANNEL)
        _answer(work.report(incident_id, number, result, reason=reason), as_json=as_json)


def _row(found: Task) -> dict[str, Any]:
    (row,) = reassessed.task_rows([found])
    return row


def _answer(found: Task, *, as_json: bool) -> None:
    if as_json:
        show_json(_row(found))
        return
    state = _row(found)["state"]
    out.print(
        f"task {found.number} ({found.subject}) of {found.incident_id} is {state}, "
        f"in the hands of {found.owner}, due {found.due_at:%Y-%m-%d %H:%M} UTC",
        markup=False,
    )
