"""``leerp bench intake``: our intake against its controls, on one machine in one run.

Source: reliability 1.6; issue 5.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from infra.services import postgres
from leerp.bench import gates, runs
from leerp.bench.chart import Curve
from leerp.bench.gates import POSTGRESQL, measure
from leerp.bench.ground import Ground, ground_in
from leerp.bench.latency import latency
from leerp.bench.machine import describe, describe_postgres
from leerp.bench.plan import Plan
from leerp.bench.producing import produce
from leerp.bench.ratios import Ratio, of_difference, of_pair
from leerp.bench.result import Result
from leerp.bench.rounds import go_round
from leerp.bench.screen import Screen
from leerp.bench.storm import Storm, storm
from leerp.bench.story import Story
from leerp.bench.stream import Stream

MB = 1e6
MS = 1e3
LOAD = 0.5
"""Of the rate end to end, for the latency."""


async def bench_intake(folder: Path, plan: Plan, screen: Screen) -> Result:
    """Measure in ``folder``, which must be empty.

    Raises:
        ServiceDown: a service or a run failed; the message says what to do.
    """
    machine = describe(folder)
    with ExitStack() as stack:
        server = plan.database
        if plan.own_postgresql and not server and postgres.binaries():
            server = stack.enter_context(postgres.running_postgres(durable=True))
        async with ground_in(folder, screen.console) as ground:
            with screen.step("producing", plan.reports) as told:
                size = await produce(ground.kafka, Stream(plan.reports), told)
            found = Result(bench="intake", machine=machine)
            await _compare(ground, plan, screen, found)
            if server:
                machine["postgresql"] = describe_postgres(server)
                await _compare(replace(ground, postgres=server), plan, screen, found)
            else:
                screen.say(
                    "PostgreSQL is not measured: it is not installed, and no --database was given"
                )
            await _live(ground, plan, size, screen, found)
    return found


async def _compare(ground: Ground, plan: Plan, screen: Screen, found: Result) -> None:
    """The rounds against controls, on the database of ``ground``; Kafka holds the one stream only."""
    on = POSTGRESQL if ground.postgres else ""
    rounds = await go_round(ground, plan, screen, audit=not on)
    found.add(*rounds.ratios(on))
    rates = [run.timeline.rate for run in rounds.runs]
    found.absolute["postgresql" if on else "sqlite"] = {
        "reports_per_second": median(rates),
        "consumer_peak_rss_mb": max(run.peak_rss for run in rounds.runs) / MB,
    }
    middle = sorted(rounds.runs, key=lambda run: run.timeline.rate)[len(rounds.runs) // 2]
    found.curves += [
        Curve.of(f"intake{on}", middle.timeline),
        Curve.of(f"keeping the bytes{on}", rounds.controls[-1]),
    ]


async def _live(ground: Ground, plan: Plan, size: int, screen: Screen, found: Result) -> None:
    """The whole product in a storm, under a steady load, and with what is the same or hostile."""
    with screen.step("the whole product in the storm", plan.reports) as told:
        stormy = await storm(ground, plan.reports, size, told)
    rate = stormy.timeline.rate
    with screen.step(f"latency under {rate * LOAD:,.0f} reports/s", 1):
        delays = await latency(ground, rate * LOAD, plan.load_seconds)
    story = Story(plan.reports)
    with screen.step("half of it the same, 1 % hostile", plan.reports) as told:
        run, fates = await runs.consume_story(ground, story, told)
    expected = story.expected()
    wrong = (expected - fates).total() + (fates - expected).total()
    found.add(*_of_storm(stormy, plan.reports))
    found.add(of_difference(measure("lost"), wrong, story.total))
    found.absolute |= {
        "reports": plan.reports,
        "bytes_of_a_report": size / plan.reports,
        "end_to_end": _end_to_end(stormy),
        "latency": delays,
        "story": {"reports_per_second": run.timeline.rate, **fates},
    }
    found.curves.append(Curve.of("end to end", stormy.timeline))


def _of_storm(found: Storm, reports: int) -> list[Ratio]:
    work = found.cost.calls + found.cost.events
    late, rest = found.late * MS, found.late_at_rest * MS
    return [
        of_pair(measure("R3"), work, reports),
        of_pair(measure("R9"), late, rest),
        of_pair(measure("R9 ms"), late, gates.LATE_MS),
        of_pair(measure("R13"), found.growth / MB, found.in_flight / MB),
        of_pair(measure("rate"), found.timeline.rate, gates.INTELMQ_RATE),
        of_pair(measure("memory"), found.peak / MB, gates.INTELMQ_MEMORY_MB),
    ]


def _end_to_end(found: Storm) -> dict[str, Any]:
    return {
        "reports_per_second": found.timeline.rate,
        "intake_peak_rss_mb": found.peak / MB,
        "intake_growth_mb": found.growth / MB,
        "in_flight_mb": found.in_flight / MB,
        "loop_lag_p99_ms": {"storm": found.late * MS, "rest": found.late_at_rest * MS},
        "temporal": found.cost._asdict(),
        "cpu_seconds_per_1000_reports": found.cpu,
    }
