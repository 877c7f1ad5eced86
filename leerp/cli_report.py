"""``leerp report``: files to Kafka, with progress, and on request what became of each."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, TaskID

from leerp.fates import Fate
from leerp.home import open_app
from leerp.options import HOME, Home
from leerp.output import REFUSED, err, out, progress_bar, visible
from leerp.report_files import STANDARD_INPUT, ReportFile, gather
from leerp.reporting import Reporting
from protocol.parties import DetectedBy, SourceGroup

INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended."""


def report(
    files: Annotated[
        list[Path], typer.Argument(help="Report files, folders of them, or - for standard input.")
    ],
    group: Annotated[
        SourceGroup, typer.Option(help="Source group; it decides the topic.", show_default=True)
    ] = SourceGroup.OTHER,
    declared_format: Annotated[
        str | None, typer.Option("--format", help="Format, where the content should not decide.")
    ] = None,
    detected_by: Annotated[
        DetectedBy | None,
        typer.Option(help="For group osint: primary or secondary source (R5)."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Say what became of each report.")] = False,
    home: Home = HOME,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, by file.")
    ] = False,
) -> None:
    """Publish report files to Kafka, in order; what cannot be sent is named, the rest is sent."""
    with open_app(home) as opened, progress_bar() as progress:
        if STANDARD_INPUT in files and sys.stdin.isatty():
            err.print("reading one report from the terminal: end it with Ctrl-D")
        gathered = gather(files, opened.settings.intake.max_record_bytes)
        reporting = Reporting(opened, group, declared_format, detected_by)
        showing = _Showing(progress, gathered, wait=wait, as_json=as_json)
        try:
            asyncio.run(_send(reporting, gathered, showing))
        except KeyboardInterrupt:
            err.print(_stopped(reporting, len(gathered)))
            raise typer.Exit(INTERRUPTED) from None
    if showing.refused:
        raise typer.Exit(REFUSED)


class _Showing:
    """Shows the progress, and what became of each file as soon as it is known."""

    def __init__(
        self, progress: Progress, files: list[ReportFile], *, wait: bool, as_json: bool
    ) -> None:
        self.refused = False
        self.wait = wait
        self._as_json = as_json
        self._progress = progress
        self._publishing = progress.add_task("publishing", total=len(files))
        self._waiting: TaskID | None = None

    def published(self, fate: Fate) -> None:
        """One file is in Kafka, or cannot be sent."""
        self._progress.advance(self._publishing)
        if not self.wait or fate.refused is not None:
            self._show(fate)

    def wait_for(self, files: int) -> None:
        """All are sent; so many fates will come."""
        self._waiting = self._progress.add_task("intake reads", total=files)

    def settled(self, fate: Fate) -> None:
        """Intake has settled one file."""
        if self._waiting is not None:
            self._progress.advance(self._waiting)
        self._show(fate)

    def _show(self, fate: Fate) -> None:
        self.refused |= fate.refused is not None or bool(fate.quarantined)
        if self._as_json:
            typer.echo(json.dumps(fate.as_json()))
            return
        name = escape(visible(fate.file))
        if fate.refused is not None:
            err.print(f"[bold red]not sent:[/] {escape(visible(fate.refused['message']))}")
        elif not self.wait:
            out.print(f"published {name}")
        for each in fate.quarantined:
            out.print(f"quarantined {name}: {each['reason']}: {escape(each['message'])}")
        if fate.stored or fate.duplicates:
            out.print(
                f"stored {fate.stored}, duplicates {fate.duplicates}, indicators "
                f"{fate.indicators}, incidents {', '.join(fate.incidents)}: {name}"
            )


async def _send(reporting: Reporting, files: list[ReportFile], showing: _Showing) -> None:
    await reporting.publish(files, showing.published, look=showing.wait)
    if showing.wait:
        showing.wait_for(len(reporting.sent))
        await reporting.await_fates(showing.settled)


def _stopped(reporting: Reporting, files: int) -> str:
    sent = len(reporting.sent)
    rest = "" if sent == files else f"; {files - sent} were not sent"
    last = f", the last is {escape(visible(reporting.sent[-1].file))}" if sent else ""
    return f"stopped: {sent} of {files} files are in Kafka and will be read{last}{rest}"
