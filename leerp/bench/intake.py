"""``leerp bench intake``: our intake against its controls, on one machine in one run.

Source: reliability 1.6; issue 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leerp.bench import runs
from leerp.bench.gates import GATES, INTELMQ_MEMORY, INTELMQ_RATE, WHAT
from leerp.bench.ground import Ground, kafka_in
from leerp.bench.machine import describe
from leerp.bench.producing import produce
from leerp.bench.ratios import Ratio, Round, of_pair, of_rounds, of_values
from leerp.bench.runs import SubjectRun
from leerp.bench.screen import Screen
from leerp.bench.stream import Stream

RATE = "reports/s"
MB = 1e6
PREPARED = 50_000
"""Reports of a round of R2 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    reports: int
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a bench found; the JSON of design section 6."""

    ratios: Mapping[str, Ratio]
    absolute: dict[str, Any]
    machine: dict[str, Any]

    @property
    def holds(self) -> bool:
        """Whether every gate holds."""
        return all(ratio.holds for ratio in self.ratios.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "bench": "intake",
            "ratios": {name: ratio.to_json() for name, ratio in self.ratios.items()},
            "absolute": self.absolute,
            "machine": self.machine,
        }


@dataclass(slots=True)
class _Rounds:
    """What the rounds on one database have given so far."""

    intake: list[Round] = field(default_factory=list)
    counting: list[Round] = field(default_factory=list)
    writing: list[Round] = field(default_factory=list)
    runs: list[SubjectRun] = field(default_factory=list)


async def bench_intake(folder: Path, plan: Plan, screen: Screen) -> Result:
    """Measure in ``folder``, which must be empty.

    Raises:
        ServiceDown: a service or a run failed; the message says what to do.
    """
    machine = describe(folder)
    async with kafka_in(folder, screen.console) as settings:
        ground = Ground(folder, settings)
        with screen.step("producing", plan.reports) as told:
            await produce(settings, Stream(plan.reports), told)
        found = await _rounds(ground, plan, screen)
    return Result(
        ratios={ratio.name: ratio for ratio in _ratios(found)},
        absolute={"sqlite": _absolute(plan, found)},
        machine=machine,
    )


async def _rounds(ground: Ground, plan: Plan, screen: Screen) -> _Rounds:
    found = _Rounds()
    for number in range(1, plan.rounds + 1):
        name = f"round {number} of {plan.rounds}"
        counted = (await runs.count_only(ground, plan.reports)).rate
        before = (await runs.keep_the_bytes(ground, plan.reports)).rate
        with screen.step(f"{name}: intake", plan.reports) as told:
            run = await runs.consume(ground, plan.reports, told)
        after = (await runs.keep_the_bytes(ground, plan.reports)).rate
        counted_after = (await runs.count_only(ground, plan.reports)).rate
        rate = run.timeline.rate
        found.runs.append(run)
        found.intake.append(Round(subject=rate, before=before, after=after))
        found.counting.append(Round(subject=rate, before=counted, after=counted_after))
        found.writing.append(await runs.write_only(ground, min(plan.reports, PREPARED)))
        screen.say(
            f"{name}: intake {rate:,.0f}/s, keeping the bytes {before:,.0f} and {after:,.0f}/s,"
            f" R2 {found.writing[-1].ratio:.3f}"
        )
    return found


def _ratios(found: _Rounds) -> list[Ratio]:
    rate = max(run.timeline.rate for run in found.runs)
    peak = max(run.peak_rss for run in found.runs)
    flat = [run.timeline.flatness for run in found.runs]
    return [
        of_rounds("R1", found.intake, what=WHAT["R1"], unit=RATE, gate=GATES["R1"]),
        of_rounds("R1b", found.counting, what=WHAT["R1b"], unit=RATE, gate=None),
        of_rounds("R2", found.writing, what=WHAT["R2"], unit=RATE, gate=GATES["R2"]),
        of_values("R8", flat, what=WHAT["R8"], unit=RATE, gate=GATES["R8"]),
        of_pair("rate", rate, INTELMQ_RATE, what=WHAT["rate"], unit=RATE, gate=GATES["rate"]),
        of_pair(
            "memory",
            peak / MB,
            INTELMQ_MEMORY,
            what=WHAT["memory"],
            unit="MB",
            gate=GATES["memory"],
        ),
    ]


def _absolute(plan: Plan, found: _Rounds) -> dict[str, Any]:
    return {
        "reports": plan.reports,
        "reports_per_second": [run.timeline.rate for run in found.runs],
        "peak_rss_mb": max(run.peak_rss for run in found.runs) / MB,
        "cpu_seconds_per_1000_reports": min(run.cpu for run in found.runs) * 1000 / plan.reports,
        "bytes_of_a_report": sum(len(r.body) for r in Stream(1_000)) / 1_000,
    }
