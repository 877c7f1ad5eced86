"""The rounds of control and subject on one database: R1, R1b, R2, R8 and R11."""

from __future__ import annotations

from dataclasses import dataclass, field

from leerp.bench import runs
from leerp.bench.gates import measure
from leerp.bench.ground import Ground
from leerp.bench.plan import Plan
from leerp.bench.progress import Timeline
from leerp.bench.ratios import Ratio, Round, of_rounds, of_values
from leerp.bench.runs import SubjectRun
from leerp.bench.screen import Screen

PREPARED = 50_000
"""Reports of a round of R2 at most."""


@dataclass(slots=True)
class Rounds:
    """What the rounds have given so far."""

    keeping: list[Round] = field(default_factory=list)
    counting: list[Round] = field(default_factory=list)
    writing: list[Round] = field(default_factory=list)
    auditing: list[Round] = field(default_factory=list)
    runs: list[SubjectRun] = field(default_factory=list)
    controls: list[Timeline] = field(default_factory=list)

    def ratios(self, on: str) -> list[Ratio]:
        """The ratios; ``on`` is added to their names."""
        found = [
            of_rounds(measure("R1", on=on), self.keeping),
            of_rounds(measure("R1b", on=on), self.counting),
            of_rounds(measure("R2", on=on), self.writing),
            of_values(measure("R8", on=on), [run.timeline.flatness for run in self.runs]),
        ]
        if self.auditing:
            found.append(of_rounds(measure("R11", on=on), self.auditing))
        return found


async def go_round(ground: Ground, plan: Plan, screen: Screen, *, audit: bool) -> Rounds:
    """Measure as many rounds as planned; ``audit`` says whether R11 is measured too.

    The controls stand on both sides of the subject, those that take longest next to it.

    Raises:
        ServiceDown: a run failed.
    """
    found, records = Rounds(), plan.reports
    for number in range(1, plan.rounds + 1):
        name = f"{'PostgreSQL' if ground.postgres else 'SQLite'}, round {number} of {plan.rounds}"
        with screen.step(f"{name}: intake and its controls", records) as told:
            counts = [await runs.count_only(ground, records, plan.repeats)]
            keeps = [await runs.keep_the_bytes(ground, records, plan.repeats)]
            bare = [await _bare(ground, records)] if audit else []
            run = await runs.consume(ground, records, told)
            bare += [await _bare(ground, records)] if audit else []
            keeps.append(await runs.keep_the_bytes(ground, records, plan.repeats))
            counts.append(await runs.count_only(ground, records, plan.repeats))
        found.runs.append(run)
        found.controls += keeps
        found.keeping.append(_round(run, keeps))
        found.counting.append(_round(run, counts))
        if audit:
            found.auditing.append(_round(run, bare))
        with screen.step(f"{name}: durable write", 1):
            found.writing.append(await runs.write_only(ground, min(records, PREPARED)))
        screen.say(
            f"{name}: intake {run.timeline.rate:,.0f}/s, keeping the bytes {keeps[0].rate:,.0f} and"
            f" {keeps[1].rate:,.0f}/s, durable write {found.writing[-1].ratio:.3f} of one table"
        )
    return found


async def _bare(ground: Ground, records: int) -> Timeline:
    return (await runs.consume(ground, records, lambda _: None, with_audit=False)).timeline


def _round(run: SubjectRun, controls: list[Timeline]) -> Round:
    before, after = controls
    return Round(subject=run.timeline.rate, before=before.rate, after=after.rate)
