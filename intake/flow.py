"""Batches in flight: fetched, being read, waiting for the writer, in the order of fetching.

How much may be in flight is bounded by bytes, so that a writer who falls behind costs no memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from intake.sheaf import Sheaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The records of one fetch on their way to the database."""

    generation: int
    """Of the assignment of partitions under which they were fetched."""
    count: int
    """Records."""
    reading: asyncio.Future[Sheaf]
    ends: Mapping[TopicPartition, int]
    """Where each partition goes on after them."""
    size: int
    """Bytes of the records."""


class Flow:
    """First in, first out, with a bound in bytes; for one who puts and one who takes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[Work] = deque()
        self._changed = asyncio.Condition()
        self.bytes_in_flight = 0
        """Fetched and not yet settled."""

    async def put(self, work: Work) -> None:
        """Add work; there may be more in flight than the bound by one fetch."""
        async with self._changed:
            self._waiting.append(work)
            self.bytes_in_flight += work.size
            self._changed.notify_all()

    async def room(self, seconds: float) -> bool:
        """Wait until more may be fetched, for so long at most; return whether it may."""
        return await self._until(lambda: self.bytes_in_flight < self._max_bytes, seconds)

    async def take(self, seconds: float, most: int) -> list[Work]:
        """The oldest work and what follows it, ready too, of at most ``most`` records.

        Waits for it so long at most; nothing when there is none. Whoever takes says ``done`` after.
        """
        if not await self._until(lambda: bool(self._waiting), seconds):
            return []
        taken = [self._waiting.popleft()]
        await asyncio.wait([taken[0].reading])
        count = taken[0].count
        while self._waiting and self._waiting[0].reading.done():
            count += self._waiting[0].count
            if count > most:
                break
            taken.append(self._waiting.popleft())
        return taken

    async def done(self, works: list[Work]) -> None:
        """What was taken is settled, or will be fetched again."""
        async with self._changed:
            self.bytes_in_flight -= sum(work.size for work in works)
            self._changed.notify_all()

    async def empty(self) -> None:
        """Wait until nothing is in flight."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.bytes_in_flight == 0)

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            return False
        return True
