"""A whole campaign: from its release to the last mail accepted, through Temporal and a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from statistics import mean
from typing import NamedTuple

from sqlalchemy import func, select

from infra.bootstrap import App
from infra.casefile import Artefact
from infra.database import Database
from infra.keys import load_keys
from infra.services import temporal
from infra.services.ports import LOOPBACK, Ports
from infra.services.supervisor import Supervisor
from infra.settings import TemporalSettings
from infra.tables import notification
from leerp.bench import campaign_cast as cast
from leerp.bench.campaign_ground import CampaignGround, keep_draft, settings_of
from leerp.bench.campaign_relay import start_sink
from leerp.bench.ground import Home
from leerp.bench.progress import Point, Timeline
from leerp.bench.screen import Told
from leerp.bench.watch import PATIENCE, Memory
from notifications.outbox import State
from protocol.errors import ServiceDown
from protocol.stages import NoticeKind
from workflows.campaign import Campaign
from workflows.commands import reference
from workflows.messages import CampaignInput

LOOK_EVERY = 0.1
MEMORY_WINDOW = 1_000
"""Mails, or a tenth of all of them."""


class Look(NamedTuple):
    """What was seen at a time."""

    at: datetime
    accepted: int
    memory: int
    """Bytes of the worker."""


Looking = Callable[[Database], Awaitable[tuple[list[Look], int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a whole campaign took."""

    timeline: Timeline
    """Mails accepted, by the seconds since the release."""
    seconds: float
    """From the release to the last mail accepted."""
    first: float
    """To the first."""
    events: int
    early_memory: float
    late_memory: float
    """Bytes of the worker, mean over the first and the last mails."""
    peak_memory: int


async def whole_campaign(ground: CampaignGround, recipients: int, told: Told) -> Whole:
    """Release a warning to everybody and wait until each mail is accepted.

    Raises:
        ServiceDown: a process failed, or nothing was accepted for two minutes.
    """
    ports = Ports(ground.folder)
    async with Supervisor() as supervisor:
        sink = await start_sink(supervisor, ground.folder, ports)
        service, server = temporal.prepare(ground.folder, ports, TemporalSettings())
        await supervisor.start(service)
        with ground.home(
            LEERP_SMTP__HOST=LOOPBACK,
            LEERP_SMTP__PORT=str(sink),
            LEERP_TEMPORAL__ADDRESS=server.address,
        ) as home:
            draft = keep_draft(home)
            worker = replace(
                home.service("worker", "leerp", "worker", "--home", str(home.folder)),
                ready=lambda: temporal.has_worker(server),
            )
            async with Supervisor() as workers:
                running = await workers.start(worker)
                looking = partial(_until_accepted, recipients, Memory(running.process.pid), told)
                return await workers.guard(_run(home, server, draft, looking))


async def _run(home: Home, server: TemporalSettings, draft: Artefact, looking: Looking) -> Whole:
    settings = settings_of(home).model_copy(update={"temporal": server})
    with closing(Database(home.url)) as database:
        app = App(settings=settings, database=database, keys=load_keys(settings.keys))
        client = await app.temporal()
        released = datetime.now(UTC)
        handle = await client.start_workflow(
            Campaign.run,
            CampaignInput(
                campaign_id=cast.EWN,
                incident_id=cast.INCIDENT,
                kind=NoticeKind.EWN,
                revision=1,
                rules=settings.profile().notices[NoticeKind.EWN],
                content=reference(draft),
                exercise=True,
            ),
            id=f"campaign-{cast.EWN}",
            task_queue=settings.temporal.task_queue,
        )
        looks, peak = await looking(database)
        events = (await handle.describe()).history_length
        times = _accepted_at(database)
    return _whole(released, times, looks, peak, events)


async def _until_accepted(
    recipients: int, memory: Memory, told: Told, database: Database
) -> tuple[list[Look], int]:
    """What was seen until then, and the most memory that the worker took."""
    looks: list[Look] = []
    moved = time.monotonic()
    while not looks or looks[-1].accepted < recipients:
        await asyncio.sleep(LOOK_EVERY)
        accepted = await asyncio.to_thread(_count, database)
        if not looks or accepted > looks[-1].accepted:
            moved = time.monotonic()
            told(accepted)
        elif time.monotonic() - moved > PATIENCE:
            raise ServiceDown(
                f"nothing was accepted for {PATIENCE:.0f} s, {accepted} of {recipients} mails are:"
                " run the bench again with --keep FOLDER, and look into the logs there"
            )
        memory.look()
        looks.append(Look(datetime.now(UTC), accepted, memory.now))
    return looks, memory.peak


def _whole(
    released: datetime, times: list[datetime], looks: list[Look], peak: int, events: int
) -> Whole:
    window = min(MEMORY_WINDOW, max(len(times) // 10, 1))
    early, late = times[window - 1], times[-window]
    first = [look.memory for look in looks if times[0] <= look.at <= early]
    last = [look.memory for look in looks if look.at >= late]
    points = [
        Point(at=(at - released).total_seconds(), settled=number)
        for number, at in enumerate(times, start=1)
    ]
    return Whole(
        timeline=Timeline(points),
        seconds=points[-1].at,
        first=points[0].at,
        events=events,
        early_memory=mean(first or [_nearest(looks, early)]),
        late_memory=mean(last or [looks[-1].memory]),
        peak_memory=peak,
    )


def _nearest(looks: list[Look], at: datetime) -> int:
    return min(looks, key=lambda look: abs(look.at - at)).memory


def _count(database: Database) -> int:
    with database.read() as connection:
        return (
            connection.scalar(select(func.count()).where(notification.c.state == State.ACCEPTED))
            or 0
        )


def _accepted_at(database: Database) -> list[datetime]:
    with database.read() as connection:
        return sorted(
            connection.scalars(
                select(notification.c.accepted_at).where(notification.c.accepted_at.is_not(None))
            )
        )
