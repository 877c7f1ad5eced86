"""What a storm brings, by a seed: reports in small incidents, repetitions, and what is refused."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.database import Database
from protocol.report import ReportContent
from tests.intake.samples import body_of, clusters, content, read_all, store_of

PER_INCIDENT = 8
REPEATED = 0.1
BATCH = 500
TIMED = (
    b'{"format": "leerp-report/1", "source_id": "bad-%d", "reporter": {"name": "x"}, "times":'
    b' [{"kind": "observed", "earliest": "2026-11-01T06:00:00Z", "latest": "2026-11-01T07:00:00Z"}],'
    b" %s}"
)
HOSTILE: dict[str, Callable[[int], bytes]] = {
    "not-json": lambda n: b"{no report at all %d" % n,
    "invalid-field": lambda n: TIMED % (n, b'"title": 5'),
    "not-finite": lambda n: b'{"format": "leerp-report/1", "n": %d, "loss": NaN}' % n,
    "duplicate-key": lambda n: b'{"format": "leerp-report/1", "n": %d, "n": 2}' % n,
    "number-too-large": lambda n: b'{"format": "leerp-report/1", "n": [%d, 1%s]}' % (n, b"0" * 99),
    "unknown-field": lambda n: TIMED % (n, b'"title": "t", "loss": 1e308'),
    "too-deep": lambda n: b"[" * 10_000 + b"%d" % n + b"]" * 10_000,
}
"""By the reason of their refusal; a number of 1e308 is one, and none of the fields known."""


@dataclass(frozen=True, slots=True)
class Storm:
    """Records to publish, and what must become of them."""

    bodies: list[bytes]
    names: frozenset[str]
    """Source ids of the reports."""
    reasons: Counter[str]
    """Why what is to be refused is refused."""

    @property
    def refused(self) -> int:
        return self.reasons.total()


def storm(prefix: str, reports: int, seed: int, *, hostile: float = 0.0) -> Storm:
    """``reports`` reports, a tenth of them twice, and a part of what can only be refused."""
    chance = random.Random(f"{prefix}-{seed}")
    base = chance.randrange(10**9)
    bodies = [
        body_of(_report(f"{prefix}-{seed}-{number}", base + number // PER_INCIDENT, number))
        for number in range(reports)
    ]
    bodies += chance.sample(bodies, int(reports * REPEATED))
    reasons = [list(HOSTILE)[n % len(HOSTILE)] for n in range(int(reports * hostile))]
    bodies += [HOSTILE[reason](base + n) for n, reason in enumerate(reasons)]
    chance.shuffle(bodies)
    names = frozenset(f"{prefix}-{seed}-{number}" for number in range(reports))
    return Storm(bodies=bodies, names=names, reasons=Counter(reasons))


def incidents_of(bodies: Sequence[bytes], folder: Path, seed: int) -> set[frozenset[str]]:
    """The incidents that these records make in another order, in other batches, in one process."""
    shuffled = list(bodies)
    random.Random(seed).shuffle(shuffled)
    database = Database(f"sqlite:///{folder / f'again-{seed}.db'}")
    database.migrate()
    store = store_of(database)
    for first in range(0, len(shuffled), BATCH):
        store.settle(read_all(shuffled[first : first + BATCH], first=first), source="again")
    found = clusters(database)
    database.close()
    return found


def _report(name: str, incident: int, number: int) -> ReportContent:
    return content(name, f"hash-{incident}", f"hash-{10**10 + incident * 100 + number % 3}")
