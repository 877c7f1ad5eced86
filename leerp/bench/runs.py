"""Single runs over the records in Kafka, each in processes and on a database of its own."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import func, select

from infra.services import child
from infra.tables import audit_row
from leerp.bench.ground import Ground
from leerp.bench.kept import kept_in
from leerp.bench.progress import Point, Timeline
from leerp.bench.ratios import Round
from leerp.bench.subject import CONSUMER, WITHOUT_AUDIT
from leerp.bench.watch import MEMORY_EVERY, Memory, Watch
from protocol.errors import ServiceDown

CONTROL_RECORDS = 60_000
"""What a control reads at least, in as many runs as that takes."""

Told = Callable[[int], None]
"""Hears how many records are settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRun:
    """One run of our intake over the whole stream."""

    timeline: Timeline
    peak_rss: int
    """Bytes, of all its processes."""
    cpu: float
    """Seconds of all its processes, start included."""


async def keep_the_bytes(ground: Ground, records: int) -> Timeline:
    """The control of R1: key and body into one table, with the position."""

    async def once() -> Timeline:
        async with ground.home() as home:
            with closing(kept_in(home.url)) as kept:
                kept.make()
            return await _control(ground, records, home.url)

    return await _long_enough(once, records)


async def count_only(ground: Ground, records: int) -> Timeline:
    """The control of R1b: read, and do nothing."""
    return await _long_enough(lambda: _control(ground, records, ""), records)


async def _long_enough(run: Callable[[], Awaitable[Timeline]], records: int) -> Timeline:
    """A control is over in a moment; of a short stream the middle one of several runs counts."""
    times = math.ceil(CONTROL_RECORDS / records)
    timelines = [await run() for _ in range(times)]
    return sorted(timelines, key=lambda timeline: timeline.rate)[times // 2]


async def consume(
    ground: Ground, records: int, told: Told, *, with_audit: bool = True
) -> SubjectRun:
    """The subject: our consumer, from Kafka to the committed batch, without the relay.

    Raises:
        ServiceDown: it ended or stood still; or it wrote an audit trail where none was wanted.
    """
    options = [CONSUMER] if with_audit else [CONSUMER, WITHOUT_AUDIT]
    async with ground.home() as home:
        home.furnish()
        with closing(Watch(home.url)) as watch:
            before = _audit_rows(watch)
            arguments = ("leerp.bench.subject", str(home.folder), *options)
            async with home.running(*arguments) as (process, alive):
                memory = Memory(process.process.pid)
                looking = asyncio.create_task(_look_at(memory))
                try:
                    timeline = await watch.until_settled(records, alive, told)
                finally:
                    looking.cancel()
                memory.look()
            if (_audit_rows(watch) > before) is not with_audit:
                raise ServiceDown(
                    "the audit trail could not be switched "
                    + ("on" if with_audit else "off")
                    + " for this run, so R11 cannot be measured: the bench must be adapted"
                )
    return SubjectRun(timeline=timeline, peak_rss=memory.peak, cpu=memory.cpu)


async def write_only(ground: Ground, records: int) -> Round:
    """One round of R2."""
    async with ground.home() as before, ground.home() as home, ground.home() as after:
        home.furnish()
        for each in (before, after):
            with closing(kept_in(each.url)) as kept:
                kept.make()
        arguments = ("leerp.bench.durable", str(home.folder), before.url, after.url, str(records))
        first, subject, last = json.loads(await _output(*arguments, environment=home.environment))
    return Round(subject=subject, before=first, after=last)


async def _look_at(memory: Memory) -> None:
    while True:
        memory.look()
        await asyncio.sleep(MEMORY_EVERY)


def _audit_rows(watch: Watch) -> int:
    with watch.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(audit_row)) or 0


async def _control(ground: Ground, records: int, database: str) -> Timeline:
    said = await _output("leerp.bench.control", ground.kafka.bootstrap, str(records), database)
    return Timeline([Point(at=at, settled=settled) for at, settled in json.loads(said)])


async def _output(*arguments: str, environment: Mapping[str, str] | None = None) -> bytes:
    """What ``python -m ARGUMENTS`` writes.

    Raises:
        ServiceDown: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        *child.dying_with_us(sys.executable, "-m", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    try:
        said, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ServiceDown(f"{arguments[0]} failed:\n{complaint.decode(errors='replace')}")
    return said
