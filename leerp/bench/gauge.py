"""A gauge inside the intake process: how late its event loop is, and how much it has read.

Every 10 ms something is due. Each time the loop comes round, all that was due since is noted with its
delay, so that one long stall counts as the many short ones that it hid. Source: reliability 1.6 (R9,
R13).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEP = 0.01


@dataclass(frozen=True, slots=True)
class Sample:
    """At this time of the monotonic clock something was late by so many seconds."""

    at: float
    late: float
    read: int
    """Bytes that the process had read from Kafka by then."""


@asynccontextmanager
async def gauge(file: Path) -> AsyncIterator[None]:
    """Write a sample a line to ``file`` while the block runs."""
    task = asyncio.create_task(_measure(file, _count_bytes()))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def samples(file: Path) -> list[Sample]:
    """What a gauge has written."""
    return [Sample(*json.loads(line)) for line in file.read_text().splitlines()]


def percentile(values: Iterable[float], share: float) -> float:
    """The value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def most_in_flight(
    found: Sequence[Sample], settled: Callable[[float], int], *, records: int, size: int
) -> float:
    """The most bytes that were read and not settled yet, of a run over ``records`` of ``size`` bytes.

    ``settled`` gives how many records were settled at a time. What the Kafka client has read ahead
    is in flight too; what it read beyond ``size``, because it let it go and read it again, is not.
    """
    again = max(0, found[-1].read - size)
    return max(sample.read - again - settled(sample.at) * size / records for sample in found)


async def _measure(file: Path, read: Callable[[], int]) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time() + STEP
    with file.open("w") as output:
        while True:
            await asyncio.sleep(due - loop.time())
            now = loop.time()
            while due <= now:
                output.write(f"[{now:.4f},{now - due:.6f},{read()}]\n")
                due += STEP


def _count_bytes() -> Callable[[], int]:
    """Count what asyncio streams are fed: in this process that is Kafka alone."""
    count = 0
    feed = asyncio.StreamReader.feed_data

    def counted(reader: asyncio.StreamReader, data: Any) -> None:
        nonlocal count
        count += len(data)
        feed(reader, data)

    asyncio.StreamReader.feed_data = counted  # type: ignore[assignment, method-assign]
    return lambda: count
