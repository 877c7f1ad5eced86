"""Ratios of subject and control, and the gates that they must hold. Source: reliability 1.6."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

LARGEST_DIFFERENCE = 0.15
"""Of a round's two controls; a round with more is dropped."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a value must reach, or not exceed."""

    bound: float
    at_most: bool = False

    def holds(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.bound:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Control, subject, control: the subject's figure and that of the controls about it."""

    subject: float
    before: float
    after: float

    @property
    def control(self) -> float:
        return (self.before + self.after) / 2

    @property
    def ratio(self) -> float:
        return self.subject / self.control

    @property
    def steady(self) -> bool:
        """Whether the machine was the same before and after."""
        low, high = sorted((self.before, self.after))
        return high - low <= LARGEST_DIFFERENCE * high


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is measured, and what it must reach."""

    name: str
    what: str
    unit: str
    gate: Gate | None
    """None where it is for the record only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One measured ratio. ``value`` is None when no round was steady enough to count."""

    measure: Measure
    value: float | None
    subject: float | None
    control: float | None
    runs: Sequence[dict[str, Any]] = field(default_factory=list)
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether its gate holds; what could not be measured holds no gate."""
        gate = self.measure.gate
        return gate is None or (self.value is not None and gate.holds(self.value))

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file; ``at_most`` says on which side of the gate it must be."""
        gate = self.measure.gate
        return {
            "what": self.measure.what,
            "value": self.value,
            "gate": gate.bound if gate else None,
            "at_most": gate.at_most if gate else None,
            "holds": self.holds,
            "subject": self.subject,
            "control": self.control,
            "unit": self.measure.unit,
            "runs": list(self.runs),
            "note": self.note,
        }


def of_rounds(measure: Measure, rounds: Sequence[Round]) -> Ratio:
    """The median over the steady rounds; the note says how many were dropped."""
    kept = [each for each in rounds if each.steady]
    dropped = len(rounds) - len(kept)
    return Ratio(
        measure=measure,
        value=median(each.ratio for each in kept) if kept else None,
        subject=median(each.subject for each in kept) if kept else None,
        control=median(each.control for each in kept) if kept else None,
        runs=[
            {
                "subject": each.subject,
                "controls": [each.before, each.after],
                "ratio": each.ratio,
                "dropped": not each.steady,
            }
            for each in rounds
        ],
        note=f"{dropped} of {len(rounds)} rounds dropped: their controls differ by more than 15 %"
        if dropped
        else "",
    )


def of_values(measure: Measure, values: Sequence[float]) -> Ratio:
    """The median of values that are ratios in themselves, each from one run."""
    return Ratio(
        measure=measure,
        value=median(values),
        subject=None,
        control=None,
        runs=[{"ratio": value} for value in values],
    )


def of_pair(measure: Measure, subject: float, control: float) -> Ratio:
    """One figure over another, which must not be nothing for there to be a value."""
    value = subject / control if control else None
    return Ratio(
        measure=measure,
        value=value,
        subject=subject,
        control=control,
        runs=[{"subject": subject, "control": control, "ratio": value}],
    )


def of_difference(measure: Measure, wrong: int, total: int) -> Ratio:
    """How many of ``total`` are not as they must be; the value is their number, not their share."""
    return Ratio(measure=measure, value=wrong, subject=wrong, control=total)
