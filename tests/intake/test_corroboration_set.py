"""The digits follow from the set of reports: not from order, batches, crashes or the size of a hub."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from activities.standing import taken_back
from classification.corroboration import corroborations, item_of
from infra.database import Database
from infra.originals import documents_of
from infra.tables import report
from infra.tables_corroboration import quiet, sweep, voice
from protocol.report import IncidentReport, ReportContent
from tests.intake.corroborating import (
    RULES,
    corroborator,
    digits,
    finish,
    history,
    said,
    settle,
    withdrawal,
)
from tests.intake.samples import (
    telling,
)

NUMBERS = itertools.count(1)
Databases = Callable[[], AbstractContextManager[Database]]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Makes empty databases, fast enough for one an example."""
    folder = tmp_path_factory.mktemp("corroboration")
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


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("after", range(12))
def test_killed_between_two_statements_it_ends_the_same(database: Database, after: int) -> None:
    """The chunk in hand is lost as a whole, and done again."""
    others = [said(f"r{n}", "hash-1", "ip-2") for n in range(6)]
    settle(database, *others, withdrawal("r0", "Reporter r0"))
    calls = itertools.count()

    def killing(*_: Any) -> None:
        if next(calls) == after:
            raise KilledError

    event.listen(database.engine, "before_cursor_execute", killing)
    with pytest.raises(KilledError):
        finish(database, chunk=2)
    event.remove(database.engine, "before_cursor_execute", killing)
    finish(database, chunk=2)
    found = digits(database)
    assert {name for name, grade in found.items() if grade == "X3"} == {
        f"r{n}" for n in range(1, 6)
    }
    assert all(len(history(database, f"r{n}")) == 2 for n in range(1, 6))


def test_of_a_hub_only_some_speak_and_all_are_judged(database: Database) -> None:
    """One feed names the address again and again; a single other one bears all of it out."""
    settle(database, *(said(f"feed {n}", "ip-1", by="Feed") for n in range(40)))
    finish(database, chunk=7)
    with database.read() as connection:
        loud = connection.scalar(select(func.count()).select_from(voice))
        silent = connection.scalar(select(func.count()).select_from(quiet))
    assert (loud, silent) == (4, 36)
    assert set(digits(database).values()) == {"X4"}

    settle(database, said("other", "ip-1"))
    finish(database, chunk=7)
    assert set(digits(database).values()) == {"X3"}
    assert len(history(database, "other")[-1][2] or ()) == 4
    with database.read() as connection:
        assert not connection.scalar(select(func.count()).select_from(sweep))


def test_when_voices_are_withdrawn_quiet_reports_step_up(database: Database) -> None:
    settle(database, *(said(f"feed {n}", "ip-1", by="Feed") for n in range(6)), said("x", "ip-1"))
    finish(database)
    settle(database, *(withdrawal(f"feed {n}", "Feed") for n in range(5)))
    finish(database)
    assert (digits(database)["x"], history(database, "x")[-1][2]) == ("X3", ["feed 5"])
    settle(database, withdrawal("feed 5", "Feed"))
    finish(database)
    assert digits(database)["x"] == "X4"


names = st.sampled_from(["Alpha", "Beta", "Gamma", "Delta"])
shorts = st.lists(
    st.sampled_from(["hash-1", "ip-2", "domain-3", "ip-9"]), min_size=1, max_size=3, unique=True
)


@st.composite
def streams(draw: st.DrawFn) -> list[ReportContent]:
    """Reports of a few reporters on a few indicators, some passed on, some withdrawn."""
    made: list[ReportContent] = []
    for n in range(draw(st.integers(1, 7))):
        by = draw(names)
        text = draw(st.sampled_from(["", "", f"Same words {n % 2}"]))
        one = said(f"r{n}", *draw(shorts), by=by, day=draw(st.sampled_from([0, 10, 30])))
        made.append(one.model_copy(update={"title": text or f"Report number {n}"}))
        if draw(st.integers(0, 4)) == 0:
            made.append(withdrawal(f"r{n}", by))
    return made


def by_the_rule(database: Database) -> dict[str, str]:
    """The digits of the pure rule over all that is stored."""
    with database.read() as connection:
        documents = list(documents_of(connection, report.c.seq > 0))
        gone = taken_back(connection, report.c.seq > 0)
    reports = [IncidentReport.model_validate(document) for document in documents]
    items = [item_of(each, RULES, telling) for each in reports]
    found = corroborations(
        replace(each, retracted=each.retracted or each.report_id in gone) for each in items
    )
    return {each.source_id: "X3" if found[each.id] else "X4" for each in reports}


@settings(max_examples=40)
@given(streams(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_in_any_order_and_batches_the_pass_ends_as_the_rule_says(
    databases: Databases, stream: list[ReportContent], chunk: int, chance: Any
) -> None:
    chance.shuffle(stream)
    with databases() as database:
        for each in stream:
            settle(database, each)
            if chance.random() < 0.3:
                corroborator(database, chunk=chunk).step()
        finish(database, chunk=chunk)
        assert digits(database) == by_the_rule(database)
