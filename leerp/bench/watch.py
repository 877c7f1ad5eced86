"""Watches a run from outside: the positions in its database, and the memory of its processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from infra.database import Database
from leerp.bench.progress import Point, Timeline
from protocol.errors import ServiceDown

LOOK_EVERY = 0.01
MEMORY_EVERY = 0.2
PATIENCE = 120.0
"""Seconds without progress after which a run has failed."""
POSITIONS = "SELECT topic, partition, next FROM consumer_offset"


class Watch:
    """Looks at one database, from outside the processes that work on it."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def positions(self) -> dict[tuple[str, int], int]:
        """The next offset of each topic and partition."""
        with self.database.read() as connection:
            return {
                (topic, partition): following
                for topic, partition, following in connection.exec_driver_sql(POSITIONS)
            }

    async def until_settled(
        self, expected: int, told: Callable[[int], None], *, before: int = 0
    ) -> Timeline:
        """Look until ``expected`` records are settled beyond the ``before`` that count as over.

        Raises:
            ServiceDown: there was no progress for two minutes.
        """
        points: list[Point] = []
        moved = time.monotonic()
        while not points or points[-1].settled < expected:
            await asyncio.sleep(LOOK_EVERY)
            settled = sum(self.positions().values()) - before
            now = time.monotonic()
            if settled > (points[-1].settled if points else 0):
                points.append(Point(at=now, settled=settled))
                moved = now
                told(settled)
            elif now - moved > PATIENCE:
                raise ServiceDown(
                    f"nothing was settled for {PATIENCE:.0f} s, {settled} of {expected} are: run"
                    " the bench again with --keep FOLDER, and look into the logs there"
                )
        return Timeline(points)


class Memory:
    """Highest resident memory and CPU time of a process and all below it, ended ones included."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._highest: dict[int, int] = {}
        self._cpu: dict[int, float] = {}

    def look(self) -> None:
        """Take in what the processes have reached by now."""
        for pid in _family(self._pid):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                stat = Path(f"/proc/{pid}/stat").read_text()
            except OSError:  # it has ended since
                continue
            lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            if "VmHWM" in lines:
                self._highest[pid] = int(lines["VmHWM"].split()[0]) * 1024
            times = stat.rpartition(")")[2].split()
            ticks = int(times[11]) + int(times[12])
            self._cpu[pid] = ticks / os.sysconf("SC_CLK_TCK")

    @property
    def now(self) -> int:
        """Bytes resident at this moment."""
        pages = 0
        for pid in _family(self._pid):
            with suppress(OSError):  # it has ended since
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def peak(self) -> int:
        """Bytes; the sum of what each process reached, so rather too much than too little."""
        return sum(self._highest.values())

    @property
    def cpu(self) -> float:
        """Seconds."""
        return sum(self._cpu.values())


def _family(pid: int) -> Iterable[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):  # each thread has its own
        with suppress(OSError):
            for child in children.read_text().split():
                yield from _family(int(child))


@asynccontextmanager
async def looking_at(memories: Iterable[Memory]) -> AsyncIterator[None]:
    """Look at processes now and then while the block runs, and once at its end."""
    watched = list(memories)

    async def look() -> None:
        while True:
            for each in watched:
                each.look()
            await asyncio.sleep(MEMORY_EVERY)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()
        for each in watched:
            each.look()
