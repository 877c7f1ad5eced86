"""Watches a run from outside: the positions in its database, and the memory of its processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
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
    """Looks at one database; use as a context manager's value through ``closing``."""

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
        self, expected: int, alive: Callable[[], None], told: Callable[[int], None]
    ) -> Timeline:
        """Look until ``expected`` records are settled; ``alive`` raises when nobody works on them.

        Raises:
            ServiceDown: there was no progress for two minutes.
        """
        points: list[Point] = []
        moved = time.monotonic()
        while not points or points[-1].settled < expected:
            await asyncio.sleep(LOOK_EVERY)
            alive()
            settled = sum(self.positions().values())
            now = time.monotonic()
            if settled > (points[-1].settled if points else 0):
                points.append(Point(at=now, settled=settled))
                moved = now
                told(settled)
            elif now - moved > PATIENCE:
                raise ServiceDown(
                    f"nothing was settled for {PATIENCE:.0f} s, {settled} of {expected} are: look"
                    " into the logs of the run with --keep"
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
