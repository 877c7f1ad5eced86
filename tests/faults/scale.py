"""How much of each fault: a few seconds in ``make test``, the figures of the table in ``make faults``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of one run. Times are in seconds."""

    storm: int
    """Reports of a storm that a process is killed in."""
    repetitions: int
    """Of what is small, each with a seed of its own."""
    kills: int
    away: float
    """How long a server is gone."""
    locked: float
    examples: int
    """Of Hypothesis."""
    headers: int
    """Of Hypothesis, where a case is a millisecond."""
    patience: float
    """How long a storm may take to be settled."""
    campaign: int
    """Mails of a campaign at whose relay something is wrong."""
    crashes: int
    """Of a sender, at each place."""
    notices: int
    """Forged ones, in a flood."""


SHORT = Scale(
    storm=1_500,
    repetitions=1,
    kills=2,
    away=2,
    locked=2,
    examples=150,
    headers=1_000,
    patience=90,
    campaign=60,
    crashes=3,
    notices=500,
)
LONG = Scale(
    storm=200_000,
    repetitions=20,
    kills=20,
    away=300,
    locked=70,
    examples=10_000,
    headers=10_000,
    patience=1_200,
    campaign=1_000,
    crashes=100,
    notices=10_000,
)
