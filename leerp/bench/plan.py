"""How much a bench measures."""

from __future__ import annotations

import math
from dataclasses import dataclass

CONTROL_RECORDS, CONTROL_RUNS = 60_000, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked for on the command line."""

    reports: int
    rounds: int
    load_seconds: float
    database: str = ""
    """URL of a PostgreSQL server, without a database."""
    own_postgresql: bool = True
    """Start a server where none is named and it is installed."""
    control_runs: int = CONTROL_RUNS

    @property
    def repeats(self) -> int:
        """A control of a short stream is run several times."""
        return min(self.control_runs, math.ceil(CONTROL_RECORDS / self.reports))
