"""What intake must reach, and what each ratio is of. Source: reliability 1.6; issue 5."""

from __future__ import annotations

from leerp.bench.ratios import Gate

INTELMQ_RATE = 500.0
"""Events a second of IntelMQ 3, all its bots in parallel, on two cores (reliability 1.5b)."""
INTELMQ_MEMORY = 370.0
"""MB, in that run."""

GATES: dict[str, Gate] = {
    "R1": Gate(0.2),
    "R2": Gate(0.2),
    "R8": Gate(0.75),
    "rate": Gate(20),
    "memory": Gate(1, at_most=True),
}
WHAT: dict[str, str] = {
    "R1": "intake, against keeping the bytes",
    "R1b": "intake, against counting the records",
    "R2": "durable write of prepared batches, against one table of the bytes",
    "R8": "rate over the last tenth of the reports, against the first",
    "rate": f"reports/s, against the {INTELMQ_RATE:.0f} of IntelMQ",
    "memory": f"peak memory of intake, against the {INTELMQ_MEMORY:.0f} MB of IntelMQ",
}
