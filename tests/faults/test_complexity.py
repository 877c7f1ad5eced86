"""Cost that grows with what a stranger chooses: F-K12. Linear, in time of the processor."""

from __future__ import annotations

import gc
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.database import Database
from infra.intake_limits import IntakeSettings
from protocol.report import ReportContent
from tests.faults.scale import Scale
from tests.faults.storm import BATCH
from tests.intake.samples import body_of, content, read_all, store_of

MOST_A_DOUBLING = 2.0
NOISE = 1.3
"""What a shared processor may add over three doublings; a square would make it eight."""
STEPS = 3
LEAST_TRIES, MOST_TRIES = 3, 15

ROOMY = IntakeSettings(max_record_bytes=50_000_000, max_rows=2_000_000)


@pytest.fixture(autouse=True)
def _only_what_is_measured() -> Iterator[None]:
    """Leave what the tests before have made out of garbage collection, as a reader process does."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def costs(spent: Callable[[int], float], first: int) -> list[float]:
    """Seconds ``spent`` on a size and on each of its doublings.

    The best of each size counts, measured in turns, until they grow as they should or enough were
    tried: load only ever adds, and what is a square stays one.
    """
    sizes = [first * 2**step for step in range(STEPS + 1)]
    best = [math.inf] * len(sizes)
    for tried in range(1, MOST_TRIES + 1):
        best = [min(before, spent(size)) for before, size in zip(best, sizes, strict=True)]
        if tried >= LEAST_TRIES and grow_linearly(best):
            break
    return best


def grow_linearly(seconds: list[float]) -> bool:
    """No more than twice for each doubling, over all of them."""
    return seconds[-1] <= seconds[0] * MOST_A_DOUBLING**STEPS * NOISE


def timed(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


Named = Callable[[int], ReportContent]


def distinct(number: int) -> ReportContent:
    """Five indicators that nobody else has."""
    return content(f"d-{number}", *(f"hash-{number * 5 + part}" for part in range(5)))


def hub(number: int) -> ReportContent:
    """One indicator that everybody has, and one that nobody has."""
    return content(f"h-{number}", "hash-1", f"hash-{1_000_000 + number}")


def chained(number: int) -> ReportContent:
    """Each shares something with the one before, so that all become one incident."""
    return content(f"c-{number}", f"hash-{number}", f"hash-{number + 1}")


def light(number: int) -> ReportContent:
    """Many indicators of which only pairs weigh enough."""
    shared = [f"ip-{part}" for part in range(10, 34)]
    return content(f"l-{number}", *shared, f"domain-{number}")


@pytest.mark.parametrize("of", [distinct, hub, chained, light])
def test_fk12_storing_and_linking_grows_no_faster_than_the_reports(
    of: Named, tmp_path: Path, scale: Scale
) -> None:
    batches: dict[int, list[list[bytes]]] = {}
    runs = iter(range(10**6))
    first = 60 * min(scale.repetitions, 10)
    for size in (first * 2**step for step in range(STEPS + 1)):
        bodies = [body_of(of(number)) for number in range(size)]
        batches[size] = [bodies[n : n + BATCH] for n in range(0, size, BATCH)]

    def spent(size: int) -> float:
        database = Database(f"sqlite:///{tmp_path / f'{next(runs)}.db'}")
        database.migrate()
        store = store_of(database)

        def settle() -> None:
            done = 0
            for batch in batches[size]:
                store.settle(read_all(batch, first=done), source="linear")
                done += len(batch)

        seconds = timed(settle)
        database.close()
        return seconds

    found = costs(spent, first)
    assert grow_linearly(found), found


def test_fk12_a_report_of_very_many_distinct_indicators_is_read_in_linear_time(
    scale: Scale,
) -> None:
    first = 1_000 * min(scale.repetitions, 4)
    lists: dict[int, bytes] = {}
    for size in (first * 2**step for step in range(STEPS + 1)):
        lines = (f"{n % 250 + 1}.{n // 250 % 250}.{n // 62_500 % 250}.9" for n in range(size))
        lists[size] = "\n".join(lines).encode()

    def read(size: int) -> None:
        ((_, ready),) = read_all([lists[size]], limits=ROOMY)
        assert ready.reports or ready.reason.startswith("too-many")

    found = costs(lambda size: timed(lambda: read(size)), first)
    assert grow_linearly(found), found


HOSTILE_TEXTS: dict[str, Callable[[int], str]] = {
    "dots": lambda n: "." * n,
    "defanged": lambda n: "hxxp[:]//" + "[.]" * n,
    "addresses": lambda n: "a@" * n,
    "labels": lambda n: "a-" * n + ".example",
    "numbers": lambda n: "1." * n,
    "colons": lambda n: ":" * n,
    "spaces": lambda n: "a" + " " * n + "b",
    "slashes": lambda n: "http://a/" + "/../" * n,
    "percent": lambda n: "http://a/" + "%" * n,
    "brackets": lambda n: "[" * n + "]" * n,
    "hex": lambda n: "0123456789abcdef" * n,
}


@pytest.mark.parametrize("shape", HOSTILE_TEXTS)
@pytest.mark.parametrize("form", ["text", "title", "value"])
def test_fk12_no_text_makes_a_pattern_run_away(shape: str, form: str, scale: Scale) -> None:
    bodies: dict[int, bytes] = {}
    first = 4_000 * min(scale.repetitions, 4)
    for size in (first * 2**step for step in range(STEPS + 1)):
        text = HOSTILE_TEXTS[shape](size)
        if form == "text":
            bodies[size] = text.encode()
        elif form == "title":
            bodies[size] = _with(title=text)
        else:
            bodies[size] = _with(indicators=[{"type": "url", "value": text}])

    def read(size: int) -> None:
        for _ in range(5):
            read_all([bodies[size]], limits=ROOMY)

    found = costs(lambda size: timed(lambda: read(size)), first)
    # What takes next to nothing at any size has no growth to speak of.
    if sum(found) > 0.15:
        assert grow_linearly(found), found
    assert sum(found) < 10


def _with(**changes: object) -> bytes:
    document = json.loads(body_of(content("pattern")))
    return json.dumps(document | changes).encode()
