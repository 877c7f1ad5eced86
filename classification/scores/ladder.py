"""Scales of rungs: the highest rung counts of which one statement holds.

A rung is settled only when nothing above it can still hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classification.scores.result import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One value of a scale, and the statements of which any one is enough."""

    value: str
    words: str
    statements: tuple[tuple[str, Known], ...]
    """The input that says it, and what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """How high the scale is climbed by what is known."""

    rung: Rung | None
    """The highest rung that is known to hold."""
    missing: tuple[str, ...]
    """Inputs that could lift it further; none when it is settled."""


def climb(rungs: Sequence[Rung]) -> Climbed:
    """Climb a scale, gravest rung first."""
    missing: dict[str, None] = {}
    for rung in rungs:
        if any(holds for _, holds in rung.statements):
            return Climbed(rung=rung, missing=tuple(missing))
        missing |= {name: None for name, holds in rung.statements if holds is None}
    return Climbed(rung=None, missing=tuple(missing))
