"""Servers, locks and disks that go away in a storm and come back: F-P6, F-P8, F-P10, F-P11."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, func, select

from infra import audit
from infra.services.postgres import running_postgres
from infra.tables import relay, report
from protocol.report import ReportContent
from tests.e2e.support import until
from tests.faults.conftest import Grounds
from tests.faults.ground import Ground, Services, Victim, ground_on
from tests.faults.scale import Scale
from tests.faults.storm import Storm, storm
from tests.intake.samples import body_of, content, major

pytestmark = [pytest.mark.asyncio, pytest.mark.services]

ALARM_SECONDS = 30
BACK_SECONDS = 60
QUICK = {"outage_alarm": "PT2S", "retry_pause_most": "PT1S", "stall_patience": "PT5S"}
"""As set, with the times of the short form."""


async def begun(ground: Ground, storms: Storm) -> list[bytes]:
    """Publish a third of a storm and wait for it; what is still to come."""
    first = len(storms.bodies) // 3
    await ground.publish(storms.bodies[:first])
    await ground.until_settled(first)
    return storms.bodies[first:]


@asynccontextmanager
async def away(victim: Victim) -> AsyncIterator[None]:
    """A server is killed, and started again after the block."""
    victim.kill()
    try:
        yield
    finally:
        await victim.start()


async def alarm(ground: Ground, state: str, since: float) -> None:
    """The state is told in time."""
    await until(lambda: state in ground.state(), seconds=ALARM_SECONDS)
    assert time.monotonic() - since <= ALARM_SECONDS


# F-P6


PROBES = [f"away-{number}" for number in range(5)]
"""The quickest of them counts: a machine that stands still only ever adds to the time."""


def detected(number: int) -> ReportContent:
    """A report that makes an incident of its own a detection."""
    return major(f"fp6-{number}", f"hash-{7_000_000 + number}")


async def test_fp6_while_temporal_is_away_intake_goes_on_and_its_words_wait(
    grounds: Grounds, services: Services, scale: Scale, tmp_path: Path
) -> None:
    ground = await grounds()
    count = 20
    bodies = [body_of(detected(number)) for number in range(count)]
    storms = storm("fp6", scale.storm, 0)
    with ground.intake() as intake:
        await ground.publish(bodies[: count // 2])
        await until(lambda: ground.settled() == count // 2 and waiting(ground) == 0)
        usual = await seconds_until_stored(ground, "usual")
        async with away(services.temporal):
            since = time.monotonic()
            await ground.publish(bodies[count // 2 :] + storms.bodies)
            await until(
                lambda: ground.settled() == count + 1 + len(storms.bodies), seconds=scale.patience
            )
            then = min([await seconds_until_stored(ground, name) for name in PROBES])
            assert waiting(ground) == count // 2
            await asyncio.sleep(max(0, 2 * scale.away - (time.monotonic() - since)))
            assert intake.poll() is None
        await until(lambda: waiting(ground) == 0, seconds=BACK_SECONDS)
    assert then <= max(3 * usual, usual + 1)
    names = storms.names | {f"fp6-{n}" for n in range(count)} | {"usual", *PROBES}
    probes = [probe(name) for name in ("usual", *PROBES)]
    await ground.check(Storm(storms.bodies + bodies + probes, names, storms.reasons), tmp_path)


def waiting(ground: Ground) -> int:
    """Workflows that have not been told what they should know."""
    with ground.database.read() as connection:
        query = select(func.count(relay.c.target.distinct())).where(relay.c.done.is_(False))
        return connection.scalar(query) or 0


def probe(name: str) -> bytes:
    return body_of(content(name, f"hash-{8_000_000 + sum(map(ord, name))}"))


async def seconds_until_stored(ground: Ground, name: str) -> float:
    """How long a report takes from the topic to the database."""
    settled = ground.settled()
    since = time.monotonic()
    await ground.publish([probe(name)])
    await until(lambda: ground.settled() > settled)
    return time.monotonic() - since


# F-P8


async def test_fp8_a_killed_broker_costs_nothing_and_intake_reads_on_when_it_is_back(
    grounds: Grounds, services: Services, scale: Scale, tmp_path: Path
) -> None:
    ground = await grounds(**QUICK)
    kills = scale.kills // 2
    parts = [storm(f"fp8-{number}", scale.storm // kills, 0) for number in range(kills)]
    chance = random.Random(8)
    with ground.intake() as intake:
        done = 0
        for number, part in enumerate(parts):
            await ground.publish(part.bodies)
            least = done + chance.randrange(len(part.bodies) // 2)
            await until(lambda n=least: ground.settled() >= n, seconds=scale.patience)  # type: ignore[misc]
            async with away(services.broker):
                if number == 0:  # one of the outages is a long one
                    since = time.monotonic()
                    await alarm(ground, "kafka-down", since)
                    await asyncio.sleep(max(0, scale.away - (time.monotonic() - since)))
            back = time.monotonic()
            done += len(part.bodies)
            before = ground.settled()
            if before < done:
                await until(lambda n=before: ground.settled() > n, seconds=BACK_SECONDS)  # type: ignore[misc]
                assert time.monotonic() - back <= BACK_SECONDS
            await ground.until_settled(done, seconds=scale.patience)
            assert intake.poll() is None
        last = storm("fp8-last", 50, 0)
        await ground.publish(last.bodies)
        await ground.until_settled(done + len(last.bodies), seconds=BACK_SECONDS)
        await until(lambda: ground.state() == "", seconds=BACK_SECONDS)
        assert intake.poll() is None
    whole = [*parts, last]
    await ground.check(
        Storm(
            [body for part in whole for body in part.bodies],
            frozenset().union(*(part.names for part in whole)),
            last.reasons,
        ),
        tmp_path,
    )


# F-P10


@contextmanager
def locked(ground: Ground) -> Iterator[None]:
    """Another writer holds the database."""
    url = ground.settings.database_url
    if ground.database.is_sqlite:
        with contextlib.closing(sqlite3.connect(str(ground.database.engine.url.database))) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
    else:
        engine = create_engine(url)
        with engine.begin() as other:
            other.exec_driver_sql("LOCK TABLE report, quarantine, audit_head IN EXCLUSIVE MODE")
            yield
        engine.dispose()


async def in_a_lock(ground: Ground, scale: Scale, folder: Path) -> int | None:
    """What intake exits with after a storm that the database was locked in."""
    storms = storm("fp10", scale.storm, 0, hostile=0.02)
    with ground.intake() as intake:
        rest = await begun(ground, storms)
        with locked(ground):
            since = time.monotonic()
            before = rows(ground)
            await ground.publish(rest)
            await alarm(ground, "database", since)
            await asyncio.sleep(max(0, scale.locked - (time.monotonic() - since)))
            assert rows(ground) == before, "readers are served, and see nothing partial"
            assert intake.poll() is None
        await ground.until_settled(len(storms.bodies), seconds=scale.patience)
        await until(lambda: ground.state() == "")
    await ground.check(storms, folder)
    return intake.returncode


def rows(ground: Ground) -> tuple[int, int, int]:
    """Settled, where that is, and how long the chain is: one transaction moves all three."""
    with ground.database.read() as connection:
        stored = connection.scalar(select(func.count()).select_from(report)) or 0
        return stored, ground.reached(), audit.verify(connection).rows


async def test_fp10_a_locked_sqlite_database_is_waited_for(
    grounds: Grounds, scale: Scale, tmp_path: Path
) -> None:
    assert await in_a_lock(await grounds(**QUICK), scale, tmp_path) == 0


async def test_fp10_a_locked_postgresql_database_is_waited_for(
    grounds: Grounds, scale: Scale, tmp_path: Path
) -> None:
    with running_postgres(durable=False) as server:
        ground = await ground_on(f"{server}/postgres", await grounds(**QUICK))
        assert await in_a_lock(ground, scale, tmp_path) == 0
        ground.database.close()


# F-P11


async def test_fp11_a_database_that_may_not_grow_stops_intake_until_it_may(
    grounds: Grounds, scale: Scale, tmp_path: Path
) -> None:
    """``max_page_count`` is what SQLite knows a full disk by; it holds for each connection."""
    ground = await grounds(**QUICK)
    limit = 0

    def grow_no_more(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={limit or 2**30}")

    event.listen(ground.database.engine, "checkout", grow_no_more)
    storms = storm("fp11", scale.storm, 0, hostile=0.02)
    async with ground.intake_here():
        rest = await begun(ground, storms)
        limit = 1  # the pages that it has now
        since = time.monotonic()
        await ground.publish(rest)
        await alarm(ground, "disk-full", since)
        full = ground.settled()
        await asyncio.sleep(scale.away)
        assert ground.settled() == full
        assert await committed(ground) <= ground.reached(), "Kafka is told of nothing unwritten"
        limit = 0
        await ground.until_settled(len(storms.bodies), seconds=scale.patience)
        await until(lambda: ground.state() == "")
    await ground.check(storms, tmp_path)
    integrity(ground)


async def test_fp11_a_full_disk_stops_intake_until_there_is_room(
    grounds: Grounds, scale: Scale, tmp_path: Path
) -> None:
    """A file system of a few megabytes that something else fills; as root only."""
    with small_disk(tmp_path / "disk", 64 if scale.repetitions == 1 else 4_096) as disk:
        like = await grounds(**QUICK, min_free_bytes=0)
        assert await on_a_small_disk(disk, like, scale, tmp_path) == 0


@contextmanager
def small_disk(disk: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own in memory; skips, with the reason, where it may not be had."""
    disk.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={megabytes}m", "none")
    mounted = subprocess.run(["mount", *options, disk], check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be had here ({mounted.stderr.strip()}); see the test above")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


async def on_a_small_disk(disk: Path, like: Ground, scale: Scale, folder: Path) -> int | None:
    """What intake exits with after a storm in which its disk was full."""
    ground = await ground_on(f"sqlite:///{disk / 'leerp.db'}", like)
    storms = storm("fp11-disk", scale.storm, 0)
    filler = disk / "filler"
    with ground.intake() as intake:
        rest = await begun(ground, storms)
        # Unbuffered: what does not fit any more must not be tried again when the file is closed.
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"\0" * 65_536):
                pass
        since = time.monotonic()
        await ground.publish(rest)
        await alarm(ground, "disk-full", since)
        full = ground.settled()
        await asyncio.sleep(scale.away)
        assert ground.settled() == full
        assert await committed(ground) <= ground.reached(), "Kafka is told of nothing unwritten"
        assert intake.poll() is None
        filler.unlink()
        await ground.until_settled(len(storms.bodies), seconds=scale.patience)
        await until(lambda: ground.state() == "")
    await ground.check(storms, folder)
    integrity(ground)
    ground.database.close()
    return intake.returncode


async def committed(ground: Ground) -> int:
    """Sum of what Kafka was told."""
    return sum(await ground.committed())


def integrity(ground: Ground) -> None:
    with ground.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
