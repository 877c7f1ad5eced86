"""``leerp triage``: clusters that are no incidents yet, and what officers do to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.bootstrap import App
from intake.acts import Act, list_acts
from intake.regrouping import Regrouping
from intake.store import open_store
from intake.triage import triage
from intake.undoing import Undoing
from intake.warning_lists import WarningLists, telling_by
from leerp.desk import desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json, Reason
from leerp.output import out, show_json, show_rows, visible
from notifications.override import in_words, left_behind

PAGE = 20
COLUMNS = (
    "id", "class", "reports", "sources", "groups", "last_hour", "before", "countries", "sectors",
    "last", "held_by",
)  # fmt: skip
EMPTY = "nothing under triage: 'leerp incidents list' shows what is an incident already"

triage_app = typer.Typer(invoke_without_command=True)
Cluster = Annotated[str, typer.Argument(metavar="INCIDENT", help="Such as inc-0a1b2c3d4e5f.")]
ReportId = Annotated[str, typer.Argument(metavar="REPORT", help="Report id.")]


@triage_app.callback()
def list_clusters(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = PAGE,
    offset: Annotated[int, typer.Option(min=0, help="After so many.")] = 0,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Clusters of reports that are no incidents yet, by what they could be if every claim holds."""
    if context.invoked_subcommand is not None:
        return
    with open_app(home) as opened:
        page = triage(
            opened.database,
            opened.settings.profile(),
            now=datetime.now(UTC),
            limit=limit,
            offset=offset,
        )
    if as_json:
        clusters = [
            {**each, "first": each["first"].isoformat(), "last": each["last"].isoformat()}
            for each in page.clusters
        ]
        show_json({"total": page.total, "offset": offset, "clusters": clusters})
        return
    show_rows([_row(each) for each in page.clusters], as_json=False, columns=COLUMNS, empty=EMPTY)
    for each in page.clusters:
        for warning in each["hubs"]:
            out.print(f"hub in {each['id']}: {visible(warning)}", markup=False, soft_wrap=True)
    shown = offset + len(page.clusters)
    if page.clusters and shown < page.total:
        out.print(f"{page.total - shown} more: 'leerp triage --offset {shown}'")


@triage_app.command("merge")
def merge_command(
    cluster: Cluster,
    into: Annotated[str, typer.Argument(help="The cluster or incident that takes it in.")],
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Let a cluster under triage be part of another incident."""
    _act(home, officer, lambda at: at.merge(cluster, into, reason=reason), as_json=as_json)


@triage_app.command("split")
def split_command(
    incident: Cluster,
    reports: Annotated[list[str], typer.Argument(metavar="REPORT...", help="What leaves.")],
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Make some reports of an incident a cluster of their own; the two stay apart."""
    _act(home, officer, lambda at: at.split(incident, reports, reason=reason), as_json=as_json)


@triage_app.command("detach")
def detach_command(
    report: ReportId,
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Make one report a cluster of its own; the two stay apart."""
    _act(home, officer, lambda at: at.detach(report, reason=reason), as_json=as_json)


@triage_app.command("attach")
def attach_command(
    report: ReportId,
    incident: Cluster,
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Move one report to another incident."""
    _act(home, officer, lambda at: at.attach(report, incident, reason=reason), as_json=as_json)


@triage_app.command("undo")
def undo_command(
    act: Annotated[int, typer.Argument(help="Number of the act, see 'leerp triage acts'.")],
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Take an act back: its reports are where they were, and the keys too."""
    with desk(home, officer) as at:
        undone = Undoing(_regrouping(at.app, officer), open_store(at.app)).undo(act, reason=reason)
    if as_json:
        show_json(_document(undone))
    else:
        out.print(
            f"act {undone.id} is undone: {undone.reports} report(s) are in {undone.source} again"
        )


@triage_app.command("acts")
def acts_command(
    incident: Annotated[str | None, typer.Option(help="On this incident only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = PAGE,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """What officers merged, split, detached and attached, and what of it was undone."""
    with open_app(home) as opened, opened.database.read() as connection:
        acts = list_acts(connection, incident_id=incident, limit=limit)
    show_rows(
        [_document(each) for each in acts],
        as_json=as_json,
        columns=(
            "id", "kind", "at", "officer", "source", "target", "reports", "reason", "undone_by",
        ),
        empty="no acts yet: 'leerp triage merge|split|detach|attach'",
    )  # fmt: skip


def _act(home: Path, officer: str, work: Callable[[Regrouping], Act], *, as_json: bool) -> None:
    with desk(home, officer) as at:
        done = work(_regrouping(at.app, officer))
        with at.app.database.read() as connection:
            left = left_behind(connection, done.target, datetime.now(UTC))
    words = [in_words(each, done.target) for each in left]
    if as_json:
        show_json({**_document(done), "overrides_left_behind": words})
        return
    out.print(
        f"act {done.id} ({done.kind}): {done.reports} report(s) went from {done.source} to "
        f"{done.target}, which is {done.target_status}; take it back with 'leerp triage undo "
        f"{done.id}'"
    )
    for said in words:
        out.print(visible(said), markup=False, soft_wrap=True)


def _regrouping(app: App, officer: str) -> Regrouping:
    return Regrouping(
        app.database,
        app.settings.profile(),
        telling_by(WarningLists()),
        officer=officer,
        channel=CHANNEL,
    )


def _document(act: Act) -> dict[str, Any]:
    """An act as it is listed."""
    return {
        "id": act.id,
        "kind": act.kind,
        "officer": act.officer,
        "at": act.at.isoformat(),
        "reason": act.reason,
        "source": act.source,
        "target": act.target,
        "target_status": act.target_status,
        "reports": act.reports,
        "undone_by": act.undone_by,
        "undone_at": act.undone_at and act.undone_at.isoformat(),
        "undone_reason": act.undone_reason,
    }


def _row(cluster: dict[str, Any]) -> dict[str, Any]:
    """A cluster as a line of the table."""
    return {
        **cluster,
        "last": f"{cluster['last']:%Y-%m-%d %H:%M}",
        "groups": ", ".join(cluster["groups"]),
        "countries": ", ".join(cluster["countries"]),
        "sectors": ", ".join(cluster["sectors"]),
        "held_by": [f"{each['indicator']} ({each['reports']})" for each in cluster["held_by"]],
    }
