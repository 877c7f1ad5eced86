"""The storm on the whole product: rate end to end, memory, event loop, and what Temporal had to do.

Memory grows from that of the same process at rest, once it has settled a few reports; in flight is
what it had read from Kafka and not settled, read-ahead included. The event loop at rest is that of
the same process, after the storm. Source: reliability 1.6 (R3, R9, R13).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from leerp.bench.gauge import Sample, most_in_flight, percentile
from leerp.bench.ground import Ground
from leerp.bench.product import FIRST, Cost, product
from leerp.bench.progress import Timeline
from leerp.bench.runs import Told

REST_SECONDS = 4.0
AFTERGLOW_SECONDS = 1.0
"""After the last batch something may still be put away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """What the storm gave."""

    timeline: Timeline
    peak: int
    """Bytes, of all intake processes."""
    growth: int
    in_flight: float
    late: float
    """Seconds that the event loop is late at most, 99 times of 100."""
    late_at_rest: float
    cost: Cost
    cpu: dict[str, float]
    """Seconds for 1,000 reports, by process."""


async def storm(ground: Ground, records: int, size: int, told: Told) -> Storm:
    """Settle all ``records``, whose bodies are ``size`` bytes, with everything running.

    Raises:
        ServiceDown: a process ended, or nothing moves.
    """
    at_rest = await _memory_at_rest(ground)
    async with product(ground) as running:
        timeline = await running.settle(records, told)
        cpu = running.cpu_per_thousand(records)
        await asyncio.sleep(REST_SECONDS)
        found = running.samples()
        await running.until_told()
        cost = await running.cost()
        peak = running.memories["intake"].peak
    begun, ended = timeline.points[0].at, timeline.points[-1].at
    return Storm(
        timeline=timeline,
        peak=peak,
        growth=peak - at_rest,
        in_flight=most_in_flight(found, timeline.settled_at, records=records, size=size),
        late=_late(found, begun, ended),
        late_at_rest=_late(found, ended + AFTERGLOW_SECONDS, found[-1].at),
        cost=cost,
        cpu=cpu,
    )


def _late(found: list[Sample], begin: float, end: float) -> float:
    return percentile([sample.late for sample in found if begin <= sample.at <= end], 0.99)


async def _memory_at_rest(ground: Ground) -> int:
    ends = await ground.ends()
    begin_at = {place: max(0, end - FIRST) for place, end in ends.items()}
    before, expected = sum(begin_at.values()), sum(ends.values())
    async with product(ground, begin_at) as running:
        await running.settle(expected - before, lambda _: None, before=before)
        await asyncio.sleep(REST_SECONDS)
        return running.memories["intake"].now
