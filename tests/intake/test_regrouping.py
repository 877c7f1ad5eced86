"""What officers say of clusters outlives later reports, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from infra import audit, casefile
from infra.database import Database
from infra.tables import relay
from intake.acts import list_acts
from protocol.errors import NotFound, Refused
from protocol.report import Affected, ReportContent
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
def home(databases: Databases) -> Iterator[Database]:
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


Story = tuple[list[ReportContent], list[Act], list[list[ReportContent]], list[list[ReportContent]]]


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


def undone(database: Database, act_id: int) -> str:
    """Why it was refused, or nothing."""
    try:
        undoing(database).undo(act_id, reason="it was wrong")
    except Refused as refused:
        return refused.reason
    return ""


def grouped(found: dict[str, set[tuple[object, ...]]]) -> dict[str, set[tuple[object, ...]]]:
    """Groups that followed a side are part of it once an act touched it: the keys are the side's."""
    sides = {row[0]: row[1] for row in found["followers"]}
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
        refused = ""
        for act in done:
            refused = undone(database, act.id)
        assert refused in {"", "joined-since", "ground-moved"}
        if not refused:
            assert clusters(database) == expected


# The acts


def test_reports_that_are_split_off_stay_apart_from_those_that_come_later(home: Database) -> None:
    first = content("a", "hash-1", "hash-2"), content("b", "hash-1", "hash-3")
    assert one_by_one(home, *first) == groups("ab")
    split(home, "b")
    assert clusters(home) == groups("a", "b")
    one_by_one(home, content("c", "hash-1", "hash-3"), content("d", "hash-1", "hash-2"))
    assert clusters(home) == groups("ad", "bc")
    assert set(statuses(home).values()) == {"triage"}


def test_a_report_that_shares_as_much_with_both_sides_joins_the_older(home: Database) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"))
    split(home, "a")  # b stays in the older one
    assert one_by_one(home, content("c", "hash-1")) == groups("a", "bc")
    where = incidents(home)
    assert newest_link(home, "c")["reason"]["apart"] == [where["a"]]


def test_a_group_with_newer_indicators_goes_over_to_the_side_that_it_shares_more_with(
    home: Database,
) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1", "hash-2"))
    split(home, "b")
    one_by_one(
        home,
        content("c", "hash-1", "hash-4"),
        content("d", "hash-2", "hash-5", "hash-6"),
        content("e", "hash-4"),
    )
    assert clusters(home) == groups("ace", "bd")
    assert one_by_one(home, content("f", "hash-4", "hash-5")) == groups("acef", "bd")
    one_by_one(home, content("g", "hash-4", "hash-6"))
    assert clusters(home) == groups("ac", "bdefg")
    assert newest_link(home, "e")["reason"]["follows"] == incidents(home)["b"]


@pytest.mark.parametrize("cluster_first", [True, False])
def test_a_cluster_that_shares_newer_indicators_with_a_side_becomes_part_of_it(
    home: Database, cluster_first: bool
) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"), content("c", "hash-4"))
    split(home, "b")
    before = incidents(home)
    newer = content("d", "hash-1", "hash-5"), content("e", "hash-4", "hash-5")
    one_by_one(home, *(reversed(newer) if cluster_first else newer))
    assert clusters(home) == groups("acde", "b")
    assert statuses(home)[before["c"]] == "merged"


@pytest.mark.parametrize("cluster_first", [True, False])
def test_a_cluster_that_shares_with_a_group_goes_with_it(
    home: Database, cluster_first: bool
) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"))
    split(home, "b")
    one_by_one(home, content("c", "hash-1", "hash-5"))
    group, cluster = content("d", "hash-5", "hash-6"), content("e", "hash-7")
    one_by_one(home, *((cluster, group) if cluster_first else (group, cluster)))
    assert clusters(home) == groups("acd", "b", "e")
    assert one_by_one(home, content("f", "hash-6", "hash-7")) == groups("acdef", "b")


def test_a_detached_reports_own_indicators_pull_nothing_to_where_it_was(home: Database) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1", "hash-2"))
    detach(home, "b")
    assert one_by_one(home, content("c", "hash-2")) == groups("a", "bc")


def test_merged_clusters_stay_one(home: Database) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-2"))
    before = incidents(home)
    merge(home, "b", "a")
    assert one_by_one(home, content("c", "hash-2"), content("d", "hash-1")) == groups("abcd")
    assert statuses(home) == {before["a"]: "triage", before["b"]: "merged"}


def test_an_attached_report_brings_its_indicators_along(home: Database) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1", "hash-2"), content("c", "ip-1"))
    attach(home, "b", to="c")
    assert one_by_one(home, content("d", "hash-2")) == groups("a", "bcd")


def test_what_is_split_twice_is_three(home: Database) -> None:
    one_by_one(home, *(content(name, "hash-1") for name in "abc"))
    split(home, "bc")
    split(home, "c")
    assert clusters(home) == groups("a", "b", "c")
    assert len(pairs_of(home)) == 3
    assert one_by_one(home, content("d", "hash-1")) == groups("ad", "b", "c")


def test_two_sides_that_are_merged_again_are_an_ordinary_cluster(home: Database) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"), content("c", "hash-2"))
    split(home, "b")
    merge(home, "b", "a")
    assert pairs_of(home) == set()
    assert one_by_one(home, content("d", "hash-1", "hash-2")) == groups("abcd")


def test_when_a_side_has_ended_its_followers_take_nothing_in_any_more(home: Database) -> None:
    one_by_one(home, major("a", "hash-1"), content("b", "hash-1"))
    split(home, "b")
    one_by_one(home, content("c", "hash-1", "hash-4"), content("d", "hash-4"))
    assert clusters(home) == groups("acd", "b")
    with home.write() as connection:
        casefile.end_incident(connection, incidents(home)["a"], datetime.now(UTC), {})
    assert one_by_one(home, content("e", "hash-4")) == groups("acd", "b", "e")


# Detections


@pytest.mark.requirement("R7")
def test_an_incident_with_a_workflow_is_never_absorbed_and_takes_others_in(home: Database) -> None:
    one_by_one(home, major("a", "hash-1"), content("b", "hash-2"))
    before = state(home)
    with pytest.raises(Refused, match=r"its workflow runs.*leerp triage merge"):
        desk(home).merge(incidents(home)["a"], incidents(home)["b"], reason="one attack")
    assert state(home) == before
    merge(home, "b", "a")
    assert clusters(home) == groups("ab")
    with home.read() as connection:
        told = connection.scalars(select(relay.c.target)).all()
    assert told.count(incidents(home)["a"]) == 2


@pytest.mark.requirement("R7")
def test_a_cluster_that_is_put_together_can_be_a_detection(home: Database) -> None:
    severe = major("a", "hash-1").model_copy(
        update={"affected": (Affected(kind="country", value="EE"),)}
    )
    other = content("b", "hash-2", affected=(Affected(kind="country", value="FI"),))
    one_by_one(home, severe, other)
    assert set(statuses(home).values()) == {"triage"}
    merge(home, "b", "a")
    assert statuses(home)[incidents(home)["a"]] == "detected"


# What is kept of an act


def test_each_act_is_kept_with_officer_reason_and_moves_and_stands_in_the_history(
    home: Database,
) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"))
    where = incidents(home)["a"]
    act_id = split(home, "b", reason="b is a test of the sensor")
    with home.read() as connection:
        (act,) = list_acts(connection)
        rows = [row for row in audit.export(connection) if row["event"] == "reports_regrouped"]
        assert audit.verify(connection).verified
    new = incidents(home)["b"]
    assert (act.id, act.kind, act.officer, act.reports) == (act_id, "split", cast.DUTY, 1)
    assert (act.source, act.target) == (where, new)
    assert [(row["subject"], row["actor"], row["detail"]["into"]) for row in rows] == [
        (where, cast.DUTY, new)
    ]
    link = newest_link(home, "b")
    assert (link["by"], link["incident_id"]) == (cast.DUTY, new)
    assert link["reason"]["words"] == "b is a test of the sensor"


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (lambda h: split(h, "ab"), "nothing-left"),
        (lambda h: detach(h, "c"), "nothing-left"),
        (lambda h: merge(h, "a", "b"), "same-incident"),
        (lambda h: attach(h, "a", "b"), "same-incident"),
        (lambda h: split(h, "a", reason=" "), "no-reason"),
        (lambda h: desk(h, "n.nobody").detach("r", reason=WHY), "unknown-officer"),
        (lambda h: desk(h).split(incidents(h)["a"], [], reason=WHY), "no-reports"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    home: Database, do: Callable[[Database], object], reason: str
) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"), content("c", "hash-2"))
    before = state(home)
    with pytest.raises(Refused) as refused:
        do(home)
    assert refused.value.reason == reason
    assert state(home) == before
    with home.read() as connection:
        assert list_acts(connection) == []
        last = list(audit.export(connection))[-1]
    assert (last["event"], last["detail"]["reason"]) == ("command_refused", reason)


def test_names_of_nothing_are_not_found(home: Database) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"), content("c", "hash-2"))
    where, ids = incidents(home), report_ids(home)
    attempts: list[Callable[[], object]] = [
        lambda: desk(home).split(where["a"], [ids["c"]], reason=WHY),
        lambda: desk(home).detach("2-none", reason=WHY),
        lambda: desk(home).attach(ids["a"], "inc-none", reason=WHY),
        lambda: undoing(home).undo(7, reason=WHY),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound, match="see 'leerp"):
            attempt()


# Undo


def test_an_act_is_undone_once(home: Database) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"))
    act = split(home, "b")
    assert undone(home, act) == ""
    assert clusters(home) == groups("ab")
    assert undone(home, act) == "already-undone"


def test_acts_are_undone_in_reverse_order(home: Database) -> None:
    one_by_one(home, *(content(name, "hash-1") for name in "abc"))
    first, second = split(home, "bc"), split(home, "c")
    assert undone(home, first) == "later-acts"
    assert (undone(home, second), undone(home, first)) == ("", "")
    assert clusters(home) == groups("abc")


def test_what_came_since_a_merge_goes_where_correlation_puts_it_when_that_is_undone(
    home: Database,
) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-2"))
    act = merge(home, "b", "a")
    assert one_by_one(home, content("c", "hash-2"), content("d", "hash-1")) == groups("abcd")
    assert undone(home, act) == ""
    assert clusters(home) == groups("ad", "bc")


def test_a_merge_that_later_reports_bear_out_is_not_undone(home: Database) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-2"))
    act = merge(home, "b", "a")
    one_by_one(home, content("c", "hash-1", "hash-2"))
    before = state(home)
    assert undone(home, act) == "joined-since"
    assert state(home) == before


@pytest.mark.parametrize("since", ["detected", "ended"])
def test_an_act_is_not_undone_when_the_ground_has_moved(home: Database, since: str) -> None:
    one_by_one(home, content("a", "hash-1"), content("b", "hash-1"))
    act = split(home, "b")
    with home.write() as connection:
        where = incidents(home)["b"]
        if since == "detected":
            casefile.mark_detected(connection, where, by="x", channel="test", reason="y")
        else:
            casefile.end_incident(connection, where, datetime.now(UTC), {})
    assert undone(home, act) == "ground-moved"
