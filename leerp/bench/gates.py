"""What intake must reach, and what each ratio is of. Source: reliability 1.6; issue 5."""

from __future__ import annotations

from leerp.bench.ratios import Gate, Measure

INTELMQ_RATE = 500.0
"""Events a second of IntelMQ 3, all its bots in parallel, on two cores (reliability 1.5b)."""
INTELMQ_MEMORY_MB = 370.0
"""In that run."""
LATE_MS = 50.0

GATES: dict[str, Gate] = {
    "R1": Gate(0.2),
    "R2": Gate(0.2),
    "R3": Gate(0.005, at_most=True),
    "R8": Gate(0.75),
    "R9": Gate(10, at_most=True),
    "R9 ms": Gate(1, at_most=True),
    "R11": Gate(0.85),
    "R13": Gate(2, at_most=True),
    "rate": Gate(20),
    "memory": Gate(1, at_most=True),
    "lost": Gate(0, at_most=True),
}
"""By the ratio's name; one that is not here is for the record."""
WHAT: dict[str, tuple[str, str]] = {
    "R1": ("intake, against keeping the bytes", "reports/s"),
    "R1b": ("intake, against counting the records", "reports/s"),
    "R2": ("durable write of prepared batches, against one table of the bytes", "reports/s"),
    "R3": ("Temporal calls and history events, against the reports", "count"),
    "R8": ("rate over the last tenth of the reports, against the first", "reports/s"),
    "R9": ("p99 lag of intake's event loop in the storm, against at rest", "ms"),
    "R9 ms": (f"p99 lag of intake's event loop, against {LATE_MS:.0f} ms", "ms"),
    "R11": ("intake with the audit chain, against without", "reports/s"),
    "R13": ("growth of intake's memory, against the bytes in flight", "MB"),
    "rate": (f"end to end, against the {INTELMQ_RATE:.0f} of IntelMQ", "reports/s"),
    "memory": (f"peak of intake, against the {INTELMQ_MEMORY_MB:.0f} of IntelMQ", "MB"),
    "lost": ("records of the story with another fate than they must have", "records"),
}
"""By the same name: the words, and the unit of subject and control."""
POSTGRESQL = " postgresql"
"""Ends the name of a ratio on that database."""


def measure(name: str, *, on: str = "") -> Measure:
    """The measure ``name``, on another database with its name at the end: ``on`` is what to add."""
    what, unit = WHAT[name]
    return Measure(name=name + on, what=what, unit=unit, gate=GATES.get(name))
