"""A storm as it comes: half of it the same again, one in a hundred hostile.

What became of each record is counted against what was sent, so that none is lost. Source: issue 5.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from leerp.bench.stream import Record, Stream

REPEATED, HOSTILE = 0.5, 0.01
POISON = (
    b'{"format": "leerp-report/1", "source_id": "broken off',
    b"[" * 5_000 + b"]" * 5_000,
    b'{"format": "leerp-report/1", "source_id": "x", "title": "x", "title": "y"}',
    b'{"format": "leerp-report/1", "impact": {"loss_eur_min": NaN}}',
    b'{"format": "leerp-report/1", "impact": {"loss_eur_min": 1e999}}',
    b'"\xff\xfe\xed\xa0\x80"',
    b"",
)
"""Bodies that can never be accepted."""


@dataclass(slots=True)
class Story:
    """``total`` records, of which the sums of kinds are known once they were gone through."""

    total: int
    seed: int = 3

    def __iter__(self) -> Iterator[Record]:
        stream = Stream(self.total, seed=self.seed)
        for kind, number in self._kinds():
            record = stream.record(number)
            if kind == "quarantined":
                record = replace(record, body=POISON[number % len(POISON)])
            yield record

    def expected(self) -> Counter[str]:
        """How many are stored, duplicates and quarantined when nothing is lost."""
        return Counter(kind for kind, _ in self._kinds())

    def _kinds(self) -> Iterator[tuple[str, int]]:
        """What is to become of each record, and the number of the report in it."""
        chance = random.Random(self.seed)  # noqa: S311  a play, not a secret
        fresh: list[int] = []
        for number in range(self.total):
            kind = chance.random()
            if kind < HOSTILE:
                yield "quarantined", number
            elif kind < HOSTILE + REPEATED and fresh:
                yield "duplicates", chance.choice(fresh)
            else:
                fresh.append(number)
                yield "stored", number
