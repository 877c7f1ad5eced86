"""``leerp demo``: one simulated attack through all seven stages, on real services.

Only the people and the attack are simulated. Reports go through Kafka, the protocol runs in Temporal,
mails leave by SMTP and are decrypted and acknowledged on the real page.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from sqlalchemy import func, select

from infra import kafka
from infra.bootstrap import App, app
from infra.settings import Settings
from infra.tables import consumer_offset
from leerp.demo.attack import LENGTH, SimulatedReport, wannacry
from leerp.demo.board import Board
from leerp.demo.confirmed import confirm_standing
from leerp.demo.contacts import PointsOfContact
from leerp.demo.directory import make_demo_directory
from leerp.demo.journal import Journal
from leerp.demo.officers import CHANNEL, DUTY_OFFICER, MANAGER, Officers, until
from leerp.demo.summary import summarise
from leerp.up import run_with_services
from notifications.directory_import import import_directory
from notifications.directory_proposals import confirm

CLOCK_FACTOR = 120.0
"""A minute of the protocol is half a second here."""
ATTACK_SECONDS = 15.0
"""In which the first hours of the attack pass."""
REFRESH_SECONDS = 0.5


def run_demo(home: Path | None, json_file: Path | None, picture: Path | None) -> int:
    """Run the demo and return the exit code: 0 only if everything was as it must be.

    Raises:
        ServiceDown: a service is missing, does not start, or died.
    """
    console = Console()
    own_home = home or Path(tempfile.mkdtemp(prefix="leerp-demo-"))
    settings = Settings(home=own_home.absolute(), exercise=True, clock_factor=CLOCK_FACTOR)
    journal = Journal()

    async def work(complete: Settings) -> dict[str, Any]:
        with app(complete.home) as opened:
            return await _play(opened, journal, console, picture)

    found = run_with_services(settings, work, console=console)
    if found is None:
        console.print("stopped before the end")
        return 1
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2) + "\n")
    _conclude(console, own_home, found)
    return 1 if found["problems"] else 0


async def _play(
    opened: App, journal: Journal, console: Console, picture: Path | None
) -> dict[str, Any]:
    folder = opened.settings.home / "demo"
    with console.status("making keys for the points of contact"):
        directory = await asyncio.to_thread(make_demo_directory, folder)
    _import(opened, directory.read_text())
    confirm_standing(opened.database)
    attack = wannacry(datetime.now(UTC) - LENGTH)
    journal.planned = len(attack)
    journal.begun = time.monotonic()
    client = await opened.temporal()
    contacts = PointsOfContact(
        opened.settings.home / "maildir", folder, signer=opened.keys.signer_certificate_file
    )
    officers = Officers(opened, client, journal)
    board = Board(opened.database, journal)
    stop, all_reported = asyncio.Event(), asyncio.Event()
    with Live(board.render(), console=console, refresh_per_second=4, transient=True) as live:
        async with asyncio.TaskGroup() as group:
            group.create_task(_refresh(live, board, stop))
            group.create_task(contacts.run(stop))
            group.create_task(_attack(opened, attack, journal, all_reported))
            incident = await officers.respond(all_reported)
            stop.set()
    console.print(board.render())
    if picture is not None:
        board.save_picture(picture)
    with opened.database.read() as connection:
        found = await summarise(
            client, connection, incident, published=journal.published, seconds=journal.seconds
        )
    found["problems"] += [f"a point of contact: {reason}" for reason in contacts.counts.reasons]
    return found


def _import(opened: App, text: str) -> None:
    """Keys that were lost and made anew take a second officer, as anywhere."""
    result = import_directory(opened.database, text, by=MANAGER, channel=CHANNEL)
    if result.proposal is not None:
        confirm(
            opened.database,
            result.proposal,
            by=DUTY_OFFICER,
            checked_by="the keys lie in the folder of the demo",
            channel=CHANNEL,
        )


async def _attack(
    opened: App,
    attack: Sequence[SimulatedReport],
    journal: Journal,
    all_reported: asyncio.Event,
) -> None:
    """Publish the reports in the order of the attack, hours in seconds."""
    producer = kafka.producer(opened.settings.kafka)
    await producer.start()
    try:
        begun = time.monotonic()
        for report in attack:
            due = begun + report.after / LENGTH * ATTACK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await producer.send_and_wait(
                kafka.topic_of(report.group),
                report.body,
                headers=[(name, value.encode()) for name, value in report.headers.items()],
            )
            journal.published += 1
    finally:
        await producer.stop()
    journal.note("attack", f"{journal.published} reports published")
    await until(lambda: _all_settled(opened, len(attack)))
    all_reported.set()


def _all_settled(opened: App, published: int) -> bool | None:
    with opened.database.read() as connection:
        settled = connection.scalar(select(func.sum(consumer_offset.c.next)))
    return (settled or 0) >= published or None


async def _refresh(live: Live, board: Board, stop: asyncio.Event) -> None:
    while not stop.is_set():
        live.update(await asyncio.to_thread(board.render))
        try:
            await asyncio.wait_for(stop.wait(), REFRESH_SECONDS)
        except TimeoutError:
            continue


def _conclude(console: Console, home: Path, found: dict[str, Any]) -> None:
    incident = found["incident"]
    notices = ", ".join(
        f"{kind} {n['accepted']}/{n['recipients']}" for kind, n in found["notices"].items()
    )
    console.rule("summary")
    console.print(
        f"{found['reports']['published']} reports: {found['reports']['stored']} stored, "
        f"{found['reports']['duplicates']} duplicates, {found['reports']['quarantined']} quarantined\n"
        f"notices accepted: {notices}; warnings acknowledged "
        f"{found['notices']['ewn']['acknowledged']}, after a second contact "
        f"{found['notices']['ewn']['escalated']}\n"
        f"audit: {found['audit']['rows']} rows, "
        f"{'verified' if found['audit']['verified'] else 'BROKEN'}; "
        f"history: {found['history_events']} events; {found['seconds']['total']} s"
    )
    for problem in found["problems"]:
        console.print(f"[bold red]{problem}[/]")
    console.print("Look next:")
    for line in (
        f"leerp incidents timeline {incident} --home {home}",
        f"leerp quarantine list --home {home}",
        f"leerp audit verify --home {home}",
        f"ls {home / 'demo' / 'decrypted'}    # a warning as its addressee reads it",
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
