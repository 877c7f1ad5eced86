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
class Ratio:
    """One measured ratio. ``value`` is None when no round was steady enough to count."""

    name: str
    what: str
    value: float | None
    gate: Gate | None
    """None where it is for the record only."""
    subject: float | None
    control: float | None
    unit: str
    runs: Sequence[dict[str, Any]] = field(default_factory=list)
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether its gate holds; what could not be measured holds no gate."""
        if self.gate is None:
            return True
        return self.value is not None and self.gate.holds(self.value)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file; ``at_most`` says on which side of the gate it must be."""
        return {
            "what": self.what,
            "value": self.value,
            "gate": self.gate.bound if self.gate else None,
            "at_most": self.gate.at_most if self.gate else None,
            "holds": self.holds,
            "subject": self.subject,
            "control": self.control,
            "unit": self.unit,
            "runs": list(self.runs),
            "note": self.note,
        }


def of_rounds(
    name: str, rounds: Sequence[Round], *, what: str, unit: str, gate: Gate | None
) -> Ratio:
    """The median over the steady rounds; the note says how many were dropped."""
    kept = [each for each in rounds if each.steady]
    dropped = len(rounds) - len(kept)
    return Ratio(
        name=name,
        what=what,
        value=median(each.ratio for each in kept) if kept else None,
        gate=gate,
        subject=median(each.subject for each in kept) if kept else None,
        control=median(each.control for each in kept) if kept else None,
        unit=unit,
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


def of_values(
    name: str, values: Sequence[float], *, what: str, unit: str, gate: Gate | None
) -> Ratio:
    """The median of values that are ratios in themselves, each from one run."""
    return Ratio(
        name=name,
        what=what,
        value=median(values),
        gate=gate,
        subject=None,
        control=None,
        unit=unit,
        runs=[{"ratio": value} for value in values],
    )


def of_pair(
    name: str, subject: float, control: float, *, what: str, unit: str, gate: Gate | None
) -> Ratio:
    """One figure over another."""
    value = subject / control if control else None
    return Ratio(
        name=name,
        what=what,
        value=value,
        gate=gate,
        subject=subject,
        control=control,
        unit=unit,
        runs=[{"subject": subject, "control": control, "ratio": value}],
    )
