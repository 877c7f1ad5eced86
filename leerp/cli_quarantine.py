"""``leerp quarantine``: what could not be accepted, why, what to do about it, and trying again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from infra.bootstrap import App
from intake.holds import list_holds, resume
from intake.quarantine import discard, replay, show
from intake.quarantine_listing import Filter, list_quarantine, open_ids, statistics
from intake.store import open_store
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json, Reason
from leerp.output import REFUSED, err, out, progress_bar, show_fields, show_json, show_rows
from leerp.since import moment
from notifications.authority import Attempt, administrator, attempted
from protocol.errors import Refused
from protocol.parties import SourceGroup

REPLAY, DISCARD, RESUME = "quarantine replay", "quarantine discard", "quarantine resume"

quarantine_app = typer.Typer(no_args_is_help=True)


class Status(StrEnum):
    """What has become of a record in quarantine."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    ALL = "all"


OfReason = Annotated[str | None, typer.Option("--reason", help="With this reason only.")]
OfGroup = Annotated[SourceGroup | None, typer.Option("--group", help="Of this group only.")]
OfTopic = Annotated[str | None, typer.Option("--topic", help="That came on this topic only.")]
OfSource = Annotated[
    str | None, typer.Option("--source", help="Of this source only, by its own topic.")
]
Since = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="Received since then: 2h, 7d, or a time."),
]
OfStatus = Annotated[Status, typer.Option("--status", help="In this state only.")]


@quarantine_app.command("list")
def list_records(
    home: Home = HOME,
    reason: OfReason = None,
    group: OfGroup = None,
    topic: OfTopic = None,
    source: OfSource = None,
    since: Since = None,
    status: OfStatus = Status.OPEN,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest.")] = 50,
    after: Annotated[int, typer.Option(min=0, help="Those after this id: the next page.")] = 0,
    as_json: Json = False,
) -> None:
    """What is in quarantine, and why, oldest first."""
    wanted = _filter(status, reason, group, topic, source, since)
    with open_app(home) as opened, opened.database.read() as connection:
        rows = list_quarantine(connection, wanted, limit=limit + 1, after=after)
        held = list_holds(connection)
    page, more = rows[:limit], len(rows) > limit
    show_rows(
        page,
        as_json=as_json,
        columns=("id", "group", "reason", "message", "size", "received_at", "status"),
        empty="nothing in quarantine"
        if wanted == Filter() and not after
        else "nothing in quarantine that fits: without options, all that is open is listed",
    )
    if more:
        err.print(f"there are more: the same with --after {page[-1]['id']}")
    if held:
        err.print(f"{len(held)} held back from intake: see 'leerp quarantine holds'")


@quarantine_app.command("stats")
def show_statistics(
    home: Home = HOME,
    reason: OfReason = None,
    group: OfGroup = None,
    topic: OfTopic = None,
    source: OfSource = None,
    since: Since = None,
    status: OfStatus = Status.ALL,
    as_json: Json = False,
) -> None:
    """Reasons by source and topic: how many, what share of all that was read there, and an example."""
    wanted = _filter(status, reason, group, topic, source, since)
    with open_app(home) as opened, opened.database.read() as connection:
        rows = statistics(connection, wanted)
    if not as_json:
        rows = [{**row, "share": _percent(row["share"])} for row in rows]
    show_rows(
        rows,
        as_json=as_json,
        columns=("topic", "reason", "count", "open", "share", "first", "last", "example"),
        empty="nothing was ever put into quarantine"
        if wanted == Filter(status=None)
        else "nothing in quarantine that fits",
    )


@quarantine_app.command("show")
def show_record(
    record_id: Annotated[int, typer.Argument(metavar="ID")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """One record: headers, reason, what to do about it, and the beginning of its body."""
    with open_app(home) as opened, opened.database.read() as connection:
        show_fields(show(connection, record_id), as_json=as_json)


@quarantine_app.command("replay")
def replay_records(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID...", help="All that fit when none.")
    ] = None,
    home: Home = HOME,
    reason: OfReason = None,
    group: OfGroup = None,
    topic: OfTopic = None,
    source: OfSource = None,
    since: Since = None,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Read open records again with today's adapters; a duty-manager of the directory does."""
    wanted = _filter(Status.OPEN, reason, group, topic, source, since)
    if ids and wanted != Filter():
        raise Refused("ids-and-filter", "name records by their ids or by a filter, not by both")
    with open_app(home) as opened:
        _administering(opened, officer, REPLAY)
        if not ids:
            with opened.database.read() as connection:
                ids = open_ids(connection, wanted)
        outcomes = _replay(opened, ids, officer)
    if as_json:
        show_json({str(number): outcome for number, outcome in outcomes.items()})
    else:
        for number, outcome in outcomes.items():
            out.print(f"{number}: {outcome}")
        if not outcomes:
            out.print("nothing in quarantine" + ("" if wanted == Filter() else " that fits"))
    if any(outcome not in {"stored", "duplicate"} for outcome in outcomes.values()):
        raise typer.Exit(REFUSED)


@quarantine_app.command("discard")
def discard_records(
    ids: Annotated[list[int], typer.Argument(metavar="ID...")],
    reason: Reason,
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Mark records as needing nothing more; they are kept. A duty-manager of the directory does."""
    with open_app(home) as opened:
        attempt = Attempt(officer=officer, command=DISCARD, subject="quarantine", channel=CHANNEL)
        with attempted(opened.database, attempt) as connection:
            administrator(connection, officer, DISCARD)
            discard(connection, ids, reason=reason, by=officer)
    if as_json:
        show_json({"discarded": ids})
    else:
        out.print(f"discarded {', '.join(map(str, ids))}: kept, see 'leerp quarantine show'")


def _replay(opened: App, ids: list[int], officer: str) -> dict[int, str]:
    with progress_bar() as progress:
        task = progress.add_task("reading again", total=len(ids))
        return replay(
            opened.database,
            open_store(opened),
            opened.settings.intake,
            ids,
            by=officer,
            told=lambda _id, _outcome: progress.advance(task),
        )


def _administering(opened: App, officer: str, command: str) -> None:
    attempt = Attempt(officer=officer, command=command, subject="quarantine", channel=CHANNEL)
    with attempted(opened.database, attempt) as connection:
        administrator(connection, officer, command)


def _filter(
    status: Status,
    reason: str | None,
    group: SourceGroup | None,
    topic: str | None,
    source: str | None,
    since: datetime | None,
) -> Filter:
    everything = Filter(reason=reason, group=group, topic=topic, source=source, since=since)
    return replace(everything, status=None if status is Status.ALL else status.value)


def _percent(share: Any) -> str:
    return "" if share is None else f"{share:.1%}"


@quarantine_app.command("holds")
def list_held(
    home: Home = HOME,
    everything: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    as_json: Json = False,
) -> None:
    """Sources that are not read now: since when, why, and what to do."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = list_holds(connection, ended=everything)
    show_rows(
        rows,
        as_json=as_json,
        columns=("place", "since", "until", "why", "what_to_do"),
        empty="every source is read; one that is mostly refused would stand here",
    )


@quarantine_app.command("resume")
def resume_topic(
    topic: Annotated[str, typer.Argument(metavar="TOPIC")],
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Read a held source again at once; a duty-manager of the directory does."""
    with open_app(home) as opened:
        attempt = Attempt(officer=officer, command=RESUME, subject=topic, channel=CHANNEL)
        with attempted(opened.database, attempt) as connection:
            administrator(connection, officer, RESUME)
            places = resume(connection, topic, by=officer, channel=CHANNEL)
    show_rows([{"place": place} for place in places], as_json=as_json, columns=("place",), empty="")
