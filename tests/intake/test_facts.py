"""What repetitions, versions, withdrawals and neighbours tell of a report, in any order."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from infra.database import Database
from infra.tables import report
from intake.corroboration import Corroborator
from intake.facts import incident_facts, listed_facts, report_facts
from protocol.errors import NotFound
from protocol.parties import SourceGroup
from protocol.report import Relation, ReportContent, Reporter, TimeKind, TimeWindow
from tests.intake.formats.samples import misp_event
from tests.intake.samples import START, content, profile, read, record, store_of, telling

OFFSETS = itertools.count()
NUMBERS = itertools.count()
AGAIN = (Relation(kind="replaces", id="a"),)
GONE = (Relation(kind="withdraws", id="a"),)
Databases = Callable[[], AbstractContextManager[Database]]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Makes empty databases, fast enough for one an example."""
    folder = tmp_path_factory.mktemp("facts")
    made = Database(f"sqlite:///{folder / 'empty.db'}")
    made.migrate()
    made.close()

    @contextmanager
    def opened() -> Iterator[Database]:
        path = folder / f"{next(NUMBERS)}.db"
        shutil.copy(folder / "empty.db", path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.close()
        path.unlink()

    return opened


def settle(
    database: Database,
    body: bytes | ReportContent,
    *,
    group: SourceGroup = SourceGroup.CSIRT,
    minutes: float = 0,
    principal: str = "anonymous",
) -> None:
    one = record(body, offset=next(OFFSETS), group=group)
    at = one.received_at + timedelta(minutes=minutes)
    delivered = replace(one, principal=principal, received_at=at)
    store_of(database).settle(read(delivered), source="test")


def version(number: int, relations: tuple[Relation, ...] = AGAIN) -> ReportContent:
    """A version of report a, written so many hours after the first."""
    observed = content("a").times
    written = START + timedelta(hours=number)
    reported = TimeWindow(kind=TimeKind.REPORTED, earliest=written, latest=written)
    return content("a", title=f"Version {number}", relations=relations, times=(*observed, reported))


def ids(database: Database) -> dict[str, str]:
    """Our ids, by title."""
    with database.read() as connection:
        rows = connection.execute(select(report.c.title, report.c.id))
        return {row.title: row.id for row in rows}


def standing(database: Database) -> dict[str, str]:
    """By title: in force, superseded or withdrawn."""
    names = ids(database)
    with database.read() as connection:
        facts = listed_facts(connection, list(names.values()))
    return {title: facts[own]["standing"] for title, own in names.items()}


def test_repetitions_are_counted_on_the_first_with_their_times(database: Database) -> None:
    for minutes in (0, 5, 9):
        settle(database, content("a"), minutes=minutes)
    (own,) = ids(database).values()
    with database.read() as connection:
        facts = report_facts(connection, own)
    assert (facts["seen"], facts["first_seen_at"], facts["last_seen_at"]) == (
        3,
        START.isoformat(),
        (START + timedelta(minutes=9)).isoformat(),
    )


def test_a_report_that_came_once_was_seen_once(database: Database) -> None:
    settle(database, content("a"))
    (own,) = ids(database).values()
    with database.read() as connection:
        facts = report_facts(connection, own)
    assert (facts["seen"], facts["last_seen_at"]) == (1, facts["first_seen_at"])
    assert (facts["standing"], facts["sources"], facts["groups"]) == ("in force", 1, 1)


def test_the_sources_and_groups_of_one_content_are_counted(database: Database) -> None:
    def same(name: str, **changes: Any) -> ReportContent:
        return content(name, "hash-1", title="The same words", **changes)

    settle(database, same("a"))
    settle(database, same("b"), group=SourceGroup.PRIVATE_SECTOR)
    settle(database, same("c", reporter=Reporter(name="CERT B")))
    settle(database, same("d"), principal="User:partner")
    settle(database, content("e", "hash-1", title="Other words"))
    pass_ = Corroborator(database, profile().correlation, telling)
    while pass_.step():
        continue
    with database.read() as connection:
        rows = connection.execute(select(report.c.id, report.c.incident_id).order_by(report.c.seq))
        (first, incident), *_ = rows.all()
        facts, of_all = report_facts(connection, first), incident_facts(connection, incident)
    assert (facts["sources"], facts["groups"]) == (3, 2)
    assert (of_all["sources"], of_all["groups"], of_all["deliveries"]) == (3, 2, 5)


def test_a_version_names_what_it_supersedes_and_a_withdrawal_what_it_takes_back(
    database: Database,
) -> None:
    settle(database, content("a", title="Original"))
    settle(database, version(1))
    own = ids(database)
    with database.read() as connection:
        old = report_facts(connection, own["Original"])
    assert (old["standing"], old["superseded_by"]) == ("superseded", [own["Version 1"]])

    settle(database, content("not a", title="Withdrawal", relations=GONE))
    own = ids(database)
    with database.read() as connection:
        new = report_facts(connection, own["Version 1"])
        incident = connection.scalar(
            select(report.c.incident_id).where(report.c.id == own["Version 1"])
        )
        of_all = incident_facts(connection, incident or "")
    assert (new["standing"], new["withdrawn_by"]) == ("withdrawn", [own["Withdrawal"]])
    assert of_all["withdrawn"] >= 1


@settings(max_examples=30)
@given(st.permutations(range(5)), st.booleans(), st.integers(0, 3))
def test_in_any_order_the_same_reports_are_in_force(
    databases: Databases, order: list[int], withdrawn: bool, twice: int
) -> None:
    """The original, three versions and perhaps the withdrawal, one of them delivered twice."""
    last = content("not a", title="Withdrawal", relations=GONE) if withdrawn else version(4)
    stream = [content("a", title="Original"), *(version(n) for n in (1, 2, 3)), last]
    with databases() as database:
        for position in [*order, order[twice]]:
            settle(database, stream[position])
        found = {title for title, state in standing(database).items() if state == "in force"}
    assert found == ({"Withdrawal"} if withdrawn else {"Version 4"})


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_time_stamp_makes_a_misp_event_a_version(
    database: Database, order: tuple[int, int]
) -> None:
    for number in order:
        event = misp_event(
            info=f"Version {number}", timestamp=str(1494600000 + number), publish_timestamp="0"
        )
        settle(database, json.dumps(event).encode())
    assert standing(database) == {"Version 1": "superseded", "Version 2": "in force"}


def test_another_senders_copy_supersedes_nothing(database: Database) -> None:
    for number, group in ((1, SourceGroup.CSIRT), (2, SourceGroup.PRIVATE_SECTOR)):
        event = misp_event(info=f"Version {number}", timestamp=str(1494600000 + number))
        settle(database, json.dumps(event).encode(), group=group)
    assert set(standing(database).values()) == {"in force"}


def test_an_unknown_report_is_named_as_such(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound, match="leerp reports list"):
        report_facts(connection, "3-none")
