"""How long a report takes under a steady load: to the database, and to its incident's workflow.

Both begin when the broker takes the record. Stored is when the position in the database has passed
it; told is when the relay is done with the change that its batch made to its incident, of those
incidents that have a workflow. Seen from outside every few milliseconds. Source: issue 5.
"""

from __future__ import annotations

import asyncio
import json
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select

from infra.tables import incident, report
from leerp.bench.gauge import percentile
from leerp.bench.ground import Ground
from leerp.bench.load import Arrival
from leerp.bench.processes import output_of
from leerp.bench.product import FIRST, Product, product
from leerp.bench.watch import LOOK_EVERY, Watch

SEED = 2
SHARES = (0.5, 0.95, 0.99)
RELAY = (
    "SELECT target, max(seq), max(CASE WHEN done THEN seq ELSE 0 END) FROM relay"
    " WHERE kind = 'incident' GROUP BY target"
)


@dataclass(frozen=True, slots=True)
class Look:
    """What was to be seen at one moment (seconds since 1970)."""

    at: float
    positions: Mapping[tuple[str, int], int]
    relayed: Mapping[str, tuple[int, int]]
    """By incident: the newest change, and the newest one that its workflow was told."""


async def latency(ground: Ground, rate: float, seconds: float) -> dict[str, object]:
    """p50, p95 and p99 in milliseconds, under ``rate`` reports a second.

    Raises:
        ServiceDown: a process ended, or nothing moves.
    """
    ends = await ground.ends()
    begin_at = {place: max(0, end - FIRST) for place, end in ends.items()}
    before, expected = sum(begin_at.values()), sum(ends.values())
    async with product(ground, begin_at) as running:
        # Starting up is no part of a steady load.
        await running.settle(expected - before, lambda _: None, before=before)
        looks: list[Look] = []
        looking = asyncio.create_task(_look(running.watch, looks))
        try:
            arrivals = await running.supervisor.guard(_load(ground, rate, seconds))
            await running.settle(len(arrivals), lambda _: None, before=expected)
            await running.until_told()
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
        incidents = await asyncio.to_thread(_incidents, running)
    stored, told = spans(arrivals, looks, incidents)
    return {
        "load_reports_per_second": rate,
        "reports": len(arrivals),
        "record_to_stored_ms": _percentiles(stored),
        "record_to_workflow_told_ms": _percentiles(told),
    }


def spans(
    arrivals: Sequence[Arrival], looks: Sequence[Look], incidents: Mapping[int, str]
) -> tuple[list[float], list[float]]:
    """Seconds from each record to stored and, where ``incidents`` names a workflow, to told."""
    stored, told = [], []
    for number, topic, partition, offset, arrived in arrivals:
        seen = bisect_left(
            looks, offset + 1, key=lambda look: look.positions.get((topic, partition), 0)
        )
        stored.append(looks[seen].at - arrived / 1_000)
        if number in incidents:
            heard = _told_at(looks, seen, incidents[number])
            told.append(heard - arrived / 1_000)
    return stored, told


def _told_at(looks: Sequence[Look], stored: int, incident_id: str) -> float:
    """When the workflow was told of what the incident was at the look ``stored``."""
    newest, _ = looks[stored].relayed.get(incident_id, (1, 0))
    told = bisect_left(
        looks, newest, lo=stored, key=lambda look: look.relayed.get(incident_id, (0, 0))[1]
    )
    return looks[told].at


async def _look(watch: Watch, looks: list[Look]) -> None:
    while True:
        with watch.database.read() as connection:
            changes = connection.exec_driver_sql(RELAY).all()
        positions = watch.positions()
        looks.append(Look(time.time(), positions, {t: (n, told) for t, n, told in changes}))
        await asyncio.sleep(LOOK_EVERY)


async def _load(ground: Ground, rate: float, seconds: float) -> list[Arrival]:
    arguments = (str(rate), str(seconds), str(SEED))
    said = await output_of("leerp.bench.load", *arguments, environment=ground.login)
    return [tuple(each) for each in json.loads(said)]


def _incidents(running: Product) -> dict[int, str]:
    """The incident of each report that has come to one with a workflow, by the report's number."""
    with running.watch.database.read() as connection:
        rows = connection.execute(
            select(report.c.source_id, incident.c.id)
            .join(incident, incident.c.id == report.c.incident_id)
            .where(incident.c.status == "detected")
        )
        return {int(source_id.rpartition("/")[2]): incident_id for source_id, incident_id in rows}


def _percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    return {f"p{share * 100:g}": percentile(seconds, share) * 1_000 for share in SHARES}
