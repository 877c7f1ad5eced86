"""Which reports become one incident: a function of the set of reports, explained in words."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations, count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from infra import audit
from infra.database import Database
from infra.tables import incident, link_key, relay, report
from intake.correlation import explain, reports_of
from intake.link_keys import link_keys
from protocol.report import IncidentReport, Relation, ReportContent
from tests.intake.samples import clusters, content, major, profile, read_all, store_of, telling

WINDOW = profile().correlation.window.days
Partition = set[frozenset[str]]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Iterator[Database]]:
    """Makes empty databases, fast enough for one an example."""
    folder = tmp_path_factory.mktemp("correlation")
    numbers = count()
    made = Database(f"sqlite:///{folder / 'empty.db'}")
    made.migrate()
    made.close()

    @contextmanager
    def opened() -> Iterator[Database]:
        path = folder / f"{next(numbers)}.db"
        shutil.copy(folder / "empty.db", path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.close()
        path.unlink()

    return opened


def settle(database: Database, *batches: Sequence[ReportContent]) -> Partition:
    """Store the batches one after the other; return what became one incident."""
    store, first = store_of(database), 0
    with database.read() as connection:
        first = sum(len(row) for row in connection.execute(select(relay.c.seq)).all())
    for number, batch in enumerate(batches):
        store.settle(read_all(batch, first=1_000 * (number + first + next(OFFSETS))), source="test")
    return clusters(database)


OFFSETS = count()


def expected(reports: Sequence[ReportContent]) -> Partition:
    """The connected groups of reports that share a key within the window."""
    rules = profile().correlation
    groups = [{r.source_id} for r in reports]

    def linked(a: ReportContent, b: ReportContent) -> bool:
        (a_from, a_to), (b_from, b_to) = IncidentReport.window(a), IncidentReport.window(b)  # type: ignore[arg-type]
        near = a_from - rules.window <= b_to and b_from <= a_to + rules.window
        return near and bool(
            link_keys(a, rules, telling).keys() & link_keys(b, rules, telling).keys()
        )

    for a, b in combinations(reports, 2):
        if linked(a, b):
            of_a = next(g for g in groups if a.source_id in g)
            of_b = next(g for g in groups if b.source_id in g)
            if of_a is not of_b:
                groups.remove(of_b)
                of_a |= of_b
    return {frozenset(group) for group in groups}
