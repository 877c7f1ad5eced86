"""What campaigns must reach, and what each ratio is of. Source: reliability 1.6; issue 7."""

from __future__ import annotations

from leerp.bench.ratios import Gate, Measure

CLIENTS = {"R14": 16, "R14 64": 64}
"""How many acknowledge at the same time."""
GATES: dict[str, Gate] = {
    "R5": Gate(0.05, at_most=True),
    "R6": Gate(0.2),
    "R6d": Gate(0.85),
    "R7": Gate(0.28),
    "R14": Gate(0.45),
    "R14 64": Gate(0.45),
    "F-A4": Gate(3.0, at_most=True),
    "memory": Gate(1.2, at_most=True),
}
WHAT: dict[str, tuple[str, str]] = {
    "R5": ("history of the campaign when its mails are out, against its recipients", "events"),
    "R6": ("outbox to 250 with audit, against smtp-source, 10 connections", "mails/s"),
    "R6d": ("the same over 20 connections, with 20 ms to each answer", "mails/s"),
    "R7": ("render, sign, encrypt once each variant stands, against bare PKCS #7", "mails/s"),
    **{
        name: (f"acknowledgements, against a bare POST, {clients} clients", "answers/s")
        for name, clients in CLIENTS.items()
    },
    "F-A4": ("99th percentile of acknowledgements while links are guessed, against without", "ms"),
    "memory": ("worker's memory over the last mails, against over the first", "MB"),
}
"""By the ratio's name: the words, and the unit of subject and control."""


def measure(name: str) -> Measure:
    """The measure ``name``."""
    what, unit = WHAT[name]
    return Measure(name=name, what=what, unit=unit, gate=GATES[name])
