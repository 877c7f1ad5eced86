"""What officers say of clusters outlives later reports, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from infra import audit, casefile
from infra.database import Database
from infra.tables import incident, relay
from intake.acts import list_acts
from protocol.errors import NotFound, Refused
from protocol.report import ReportContent
from tests.intake.officers import (
    Databases,
    Partition,
    databases_in,
    desk,
    incidents,
    newest_link,
    one_by_one,
    report_ids,
    settle,
    state,
    statuses,
    undoing,
)
from tests.intake.samples import clusters, content, major
from tests.workflows import cast

WHY = "they are two attacks"


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return databases_in(tmp_path_factory.mktemp("regrouping"))


@pytest.fixture
def home(databases: Databases):  # type: ignore[no-untyped-def]
    with databases() as database:
        yield database


def groups(*names: str) -> Partition:
    """``"ab", "c"``: a and b together, c alone."""
    return {frozenset(each) for each in names}


def split(database: Database, names: str, reason: str = WHY) -> int:
    """Set the reports apart from the incident of the first of them."""
    ids = report_ids(database)
    where = incidents(database)[names[0]]
    return desk(database).split(where, [ids[name] for name in names], reason=reason).id


def merge(database: Database, name: str, into: str) -> int:
    where = incidents(database)
    return desk(database).merge(where[name], where[into], reason="one attack").id


def attach(database: Database, name: str, to: str) -> int:
    ids, where = report_ids(database), incidents(database)
    return desk(database).attach(ids[name], where[to], reason="it belongs there").id


def detach(database: Database, name: str) -> int:
    return desk(database).detach(report_ids(database)[name], reason="a mistake").id


# The rule as a whole

FIRST = ["hash-1", "hash-2", "hash-3", "ip-1", "ip-2", "domain-1"]
LATER = [*FIRST[:3], "hash-4", "hash-5", "hash-6", "hash-7"]
"""With some that no report had when the acts were done."""
Act = tuple[str, int, int]


def reports_named(draw: st.DrawFn, letters: str, shorts: list[str]) -> list[ReportContent]:
    return [
        content(
            letter,
            *draw(st.lists(st.sampled_from(shorts), min_size=1, max_size=3, unique=True)),
            day=draw(st.sampled_from([0, 0, 0, 0, 14, 20])),
        )
        for letter in letters
    ]


def batched(draw: st.DrawFn, reports: Sequence[ReportContent]) -> list[list[ReportContent]]:
    """The reports in some order, some of them repeatedly, in batches."""
    repeats = draw(st.lists(st.sampled_from(reports), max_size=2))
    left = draw(st.permutations([*reports, *repeats]))
    batches = []
    while left:
        size = draw(st.integers(1, len(left)))
        batches.append(left[:size])
        left = left[size:]
    return batches


@st.composite
def stories(
    draw: st.DrawFn,
) -> tuple[list[ReportContent], list[Act], list[list[ReportContent]], list[list[ReportContent]]]:
    """Reports, acts on them, and two ways in which the same later reports arrive."""
    drawn = reports_named(draw, "cde"[: draw(st.integers(0, 3))], FIRST)
    first = [content("a", "hash-1", "hash-2"), content("b", "hash-1", "hash-3"), *drawn]
    acts = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["split", "split", "detach", "merge", "attach", "undo"]),
                st.integers(0, 63),
                st.integers(0, 5),
            ),
            min_size=1,
            max_size=3,
        )
    )
    later = reports_named(draw, "uvwxyz"[: draw(st.integers(2, 6))], LATER)
    return first, acts, batched(draw, later), batched(draw, later)


def perform(database: Database, names: str, act: Act) -> None:
    """Do what the numbers stand for, where it is allowed."""
    kind, which, other = act
    first, second = names[which % len(names)], names[other % len(names)]
    with suppress(Refused):
        if kind == "split":
            where = incidents(database)
            mates = [name for name in names if where[name] == where[first]]
            split(database, first + "".join(m for n, m in enumerate(mates) if which >> n & 1))
        elif kind == "detach":
            detach(database, first)
        elif kind == "merge":
            merge(database, first, second)
        elif kind == "attach":
            attach(database, first, second)
        else:
            with database.read() as connection:
                standing = [a.id for a in list_acts(connection) if a.undone_at is None]
            if standing:
                undoing(database).undo(standing[0], reason="no")


Story = tuple[
    list[ReportContent], list[Act], list[list[ReportContent]], list[list[ReportContent]]
]


@settings(max_examples=100)
@given(story=stories())
def test_the_same_reports_after_the_same_acts_give_the_same_incidents_in_any_order(
    databases: Databases, story: Story
) -> None:
    first, acts, *ways = story
    found = []
    for way in ways:
        with databases() as database:
            one_by_one(database, *first)
            for act in acts:
                perform(database, "".join(each.source_id for each in first), act)
            at_first = incidents(database)
            found.append(settle(database, *way))
            after = incidents(database)
            kept = {n: after[n] for n in at_first}
            apart = {(m, n) for m in kept for n in kept if at_first[m] != at_first[n]}
            with database.read() as connection:
                assert audit.verify(connection).verified
            if acts[-1][0] in {"split", "detach"} and len(acts) == 1:
                assert all(
                    kept[m] != kept[n]
                    for m, n in apart
                    if frozenset({at_first[m], at_first[n]}) in pairs_of(database)
                )
    assert found[0] == found[1]


def pairs_of(database: Database) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in state(database)["apart"]}


@settings(max_examples=100)
@given(story=stories())
def test_an_act_that_is_undone_leaves_everything_as_it_was(
    databases: Databases, story: Story
) -> None:
    first, acts, *_ = story
    with databases() as database:
        one_by_one(database, *first)
        names = "".join(each.source_id for each in first)
        for act in acts[:-1]:
            perform(database, names, act)
        before = state(database)
        with database.read() as connection:
            known = {each.id for each in list_acts(connection)}
        if acts[-1][0] == "undo":
            return
        perform(database, names, acts[-1])
        with database.read() as connection:
            new = [each.id for each in list_acts(connection) if each.id not in known]
        for act_id in new:
            undoing(database).undo(act_id, reason="it was wrong")
        after = state(database)
        for name in ("reports", "status", "link_key", "side_key", "apart"):
            assert grouped(after)[name] == grouped(before)[name], name


def grouped(found: dict[str, set[tuple[object, ...]]]) -> dict[str, set[tuple[object, ...]]]:
    """Groups that followed a side are part of it once an act touched it: the keys are the side's."""
    sides = dict(found["followers"])  # type: ignore[arg-type]
    keys = {(*row[:3], sides.get(row[3], row[3])) for row in found["link_key"]}
    return {**found, "link_key": keys}


@settings(max_examples=100)
@given(story=stories())
def test_after_undo_the_incidents_are_as_if_the_act_had_never_been(
    databases: Databases, story: Story
) -> None:
    first, acts, way, _ = story
    with databases() as database:
        one_by_one(database, *first)
        expected = settle(database, *way)
    with databases() as database:
        one_by_one(database, *first)
        perform(database, "".join(each.source_id for each in first), acts[0])
        settle(database, *way)
        with database.read() as connection:
            done = list_acts(connection)
        try:
            for act in done:
                undoing(database).undo(act.id, reason="it was wrong")
        except Refused as refused:
            assert refused.reason in {"joined-since", "ground-moved"}
            return
        assert clusters(database) == expected
