"""Single runs over the records in Kafka, each in processes and on a database of its own."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Table, func, select

from infra.database import Database
from infra.services.supervisor import Supervisor
from infra.tables import quarantine, report
from infra.tables_audit import audit_row
from leerp.bench.ground import Ground, Home
from leerp.bench.kept import kept_in
from leerp.bench.processes import output_of
from leerp.bench.producing import produce
from leerp.bench.progress import Point, Timeline
from leerp.bench.ratios import Round
from leerp.bench.story import Story
from leerp.bench.subject import CONSUMER, WITHOUT_AUDIT
from leerp.bench.watch import Memory, Watch, looking_at
from protocol.errors import ServiceDown

Told = Callable[[int], None]
"""Hears how many records are settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRun:
    """One run of our intake over the whole stream."""

    timeline: Timeline
    peak_rss: int
    """Bytes, of all its processes."""


async def keep_the_bytes(ground: Ground, records: int, times: int) -> Timeline:
    """The control of R1: key and body into one table, with the position."""

    async def once() -> Timeline:
        async with ground.home() as home:
            with closing(kept_in(home.url)) as kept:
                kept.make()
            return await _control(ground, records, home.url)

    return await _middle(once, times)


async def count_only(ground: Ground, records: int, times: int) -> Timeline:
    """The control of R1b: read, and do nothing."""
    return await _middle(lambda: _control(ground, records, ""), times)


async def _middle(run: Callable[[], Awaitable[Timeline]], times: int) -> Timeline:
    """A control is over in a moment; of a short stream the middle one of several runs counts."""
    timelines = [await run() for _ in range(times)]
    return sorted(timelines, key=lambda timeline: timeline.rate)[times // 2]


async def consume(
    ground: Ground, records: int, told: Told, *, with_audit: bool = True
) -> SubjectRun:
    """The subject: our consumer, from Kafka to the committed batch, without the relay.

    Raises:
        ServiceDown: it ended or stood still; or it wrote an audit trail where none was wanted.
    """
    async with ground.home() as home:
        home.furnish()
        before = await asyncio.to_thread(_count, home, audit_row)
        run = await _consumed(home, told, records, () if with_audit else (WITHOUT_AUDIT,))
        if (await asyncio.to_thread(_count, home, audit_row) > before) is not with_audit:
            raise ServiceDown(
                f"the audit trail could not be switched {'on' if with_audit else 'off'} for this"
                " run, so R11 cannot be measured: leerp.bench.subject must be adapted"
            )
    return run


async def consume_story(
    ground: Ground, story: Story, told: Told
) -> tuple[SubjectRun, Counter[str]]:
    """Send and settle a storm as it comes; how many were stored, duplicates and quarantined.

    Raises:
        ServiceDown: as ``consume``.
    """
    begin_at = await ground.ends()
    await produce(ground.kafka, story, told)
    async with ground.home() as home:
        home.furnish(begin_at)
        run = await _consumed(home, told, story.total, (), before=sum(begin_at.values()))
        fates = await asyncio.to_thread(_fates, home)
    return run, fates


async def _consumed(
    home: Home, told: Told, records: int, options: Sequence[str], before: int = 0
) -> SubjectRun:
    with closing(Watch(home.url)) as watch:
        async with Supervisor() as supervisor:
            process = await supervisor.start(
                home.service("intake", "leerp.bench.subject", str(home.folder), CONSUMER, *options)
            )
            memory = Memory(process.process.pid)
            async with looking_at([memory]):
                timeline = await supervisor.guard(watch.until_settled(records, told, before=before))
    return SubjectRun(timeline=timeline, peak_rss=memory.peak)


async def write_only(ground: Ground, records: int) -> Round:
    """One round of R2."""
    async with ground.home() as before, ground.home() as home, ground.home() as after:
        home.furnish()
        for each in (before, after):
            with closing(kept_in(each.url)) as kept:
                kept.make()
        arguments = ("leerp.bench.durable", str(home.folder), before.url, after.url, str(records))
        first, subject, last = json.loads(await output_of(*arguments, environment=home.environment))
    return Round(subject=subject, before=first, after=last)


def _count(home: Home, table: Table) -> int:
    with closing(Database(home.url)) as database, database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def _fates(home: Home) -> Counter[str]:
    with closing(Database(home.url)) as database, database.read() as connection:
        repeats = connection.scalar(select(func.sum(report.c.duplicates)))
    return Counter(
        stored=_count(home, report), duplicates=repeats or 0, quarantined=_count(home, quarantine)
    )


async def _control(ground: Ground, records: int, database: str) -> Timeline:
    said = await output_of("leerp.bench.control", str(records), database, environment=ground.login)
    return Timeline([Point(at=at, settled=settled) for at, settled in json.loads(said)])
