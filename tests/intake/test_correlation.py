"""Which reports become one incident: a function of the set of reports, explained in words."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import combinations, count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from infra import audit
from infra.database import Database
from infra.tables import incident, link_key, report
from intake.link_keys import link_keys
from intake.links import explain
from protocol.report import Relation, ReportContent
from tests.intake.samples import clusters, content, major, profile, read_all, store_of, telling

WINDOW = profile().correlation.window.days
OFFSETS = count(step=1_000)
Partition = set[frozenset[str]]
Databases = Callable[[], AbstractContextManager[Database]]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
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
    """Store the batches one after the other; return what has become one incident."""
    for batch in batches:
        store_of(database).settle(read_all(batch, first=next(OFFSETS)), source="test")
    return clusters(database)


def one_by_one(database: Database, *reports: ReportContent) -> Partition:
    return settle(database, *([each] for each in reports))


def together(*names: str) -> Partition:
    return {frozenset(names)}


def apart(*names: str) -> Partition:
    return {frozenset({name}) for name in names}


def ids(database: Database) -> dict[str, str]:
    """The incident of each report, by the report's source id."""
    with database.read() as connection:
        return {
            row.source_id: row.incident_id
            for row in connection.execute(select(report.c.source_id, report.c.incident_id))
        }


def history(database: Database, name: str) -> list[dict[str, object]]:
    """The links of the report, without their times."""
    with database.read() as connection:
        report_id = connection.scalar(select(report.c.id).where(report.c.source_id == name))
        assert report_id
        return [
            {"incident": entry["incident_id"], "by": entry["by"], "reason": entry["reason"]}
            for entry in explain(connection, report_id)
        ]


def status_of(database: Database, incident_id: str) -> tuple[str, str | None]:
    with database.read() as connection:
        row = connection.execute(select(incident).where(incident.c.id == incident_id)).one()
        return row.status, row.merged_into


# The rule as a whole


def expected(reports: Sequence[ReportContent]) -> Partition:
    """The connected groups of reports of which two share a key within the window."""
    rules = profile().correlation
    groups = [{each.source_id} for each in reports]
    for one, other in combinations(reports, 2):
        (seen,), (seen_too,) = one.times, other.times
        near = (
            seen.earliest - rules.window <= seen_too.latest
            and seen_too.earliest - rules.window <= seen.latest
        )
        keys, keys_too = (link_keys(each, rules, telling) for each in (one, other))
        if near and keys.keys() & keys_too.keys():
            joined = [g for g in groups if g & {one.source_id, other.source_id}]
            groups = [g for g in groups if g not in joined] + [set[str]().union(*joined)]
    return {frozenset(group) for group in groups}


SHORTS = ["hash-1", "hash-2", "hash-9", "ip-1", "ip-2", "ip-3", "ip-9", "domain-1", "domain-2"]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[ReportContent], list[list[ReportContent]]]:
    """Reports, and batches in which all of them arrive: in any order, some repeatedly."""
    reports = [
        content(
            f"r{number}",
            *draw(st.lists(st.sampled_from(SHORTS), max_size=3, unique=True)),
            day=draw(st.sampled_from([0, 5, 13, 14, 14.001, 27, 28, 40])),
            lasts=draw(st.sampled_from([0, 0, 1, 14, 30])),
        )
        for number in range(draw(st.integers(1, 8)))
    ]
    repeats = draw(st.lists(st.sampled_from(reports), max_size=3))
    left = draw(st.permutations([*reports, *repeats]))
    batches = []
    while left:
        size = draw(st.integers(1, len(left)))
        batches.append(left[:size])
        left = left[size:]
    return reports, batches


@settings(max_examples=120)
@given(delivery=deliveries())
def test_incidents_depend_on_the_set_of_reports_and_not_on_order_batches_or_repetition(
    databases: Databases, delivery: tuple[list[ReportContent], list[list[ReportContent]]]
) -> None:
    reports, batches = delivery
    with databases() as database:
        assert settle(database, *batches) == expected(reports)
        with database.read() as connection:
            assert audit.verify(connection).verified
            into = dict(connection.execute(select(incident.c.id, incident.c.merged_into)).all())
            standing = set(connection.scalars(select(report.c.incident_id)))
            for name in connection.scalars(select(link_key.c.incident_id)):
                now = name
                while into[now]:
                    now = into[now]
                assert now in standing


# The rule in its parts


@pytest.mark.parametrize(
    ("shorts", "link"),
    [
        (["hash-1"], True),
        (["domain-1"], False),
        (["ip-1"], False),
        (["ip-1", "ip-2"], True),
        (["domain-1", "ip-1"], True),
        (["hash-9"], False),
        (["ip-1", "ip-9"], False),
        ([], False),
    ],
)
def test_shared_indicators_link_when_they_weigh_enough_and_are_not_everybodys(
    database: Database, shorts: list[str], link: bool
) -> None:
    found = settle(database, [content("a", *shorts), content("b", *shorts)])
    assert found == (together("a", "b") if link else apart("a", "b"))


@pytest.mark.parametrize(
    ("day", "lasts", "link"),
    [(WINDOW, 0, True), (WINDOW + 0.01, 0, False), (-WINDOW - 2, 1, False), (-WINDOW - 2, 2, True)],
)
def test_reports_link_within_the_window_only(
    database: Database, day: float, lasts: float, link: bool
) -> None:
    first, second = content("a", "hash-1"), content("b", "hash-1", day=day, lasts=lasts)
    assert one_by_one(database, first, second) == (together("a", "b") if link else apart("a", "b"))


def test_a_report_in_between_joins_what_was_too_far_apart(database: Database) -> None:
    ends = content("a", "hash-1"), content("c", "hash-1", day=2 * WINDOW)
    assert one_by_one(database, *ends) == apart("a", "c")
    between = content("b", "hash-1", day=WINDOW)
    assert one_by_one(database, between) == together("a", "b", "c")


def test_an_incident_that_partners_state_links_without_any_indicator(database: Database) -> None:
    stated = (Relation(kind="same-incident", id="EU-2017-1"),)
    reports = (content(name, relations=stated) for name in ("a", "b"))
    assert one_by_one(database, *reports) == together("a", "b")


# Merges and what is said of them


def test_a_report_that_joins_two_incidents_merges_the_younger_into_the_older(
    database: Database,
) -> None:
    one_by_one(database, content("a", "hash-1"), content("b", "hash-2"))
    before = ids(database)
    assert one_by_one(database, content("c", "hash-1", "hash-2")) == together("a", "b", "c")
    assert set(ids(database).values()) == {before["a"]}
    assert status_of(database, before["b"]) == ("merged", before["a"])
    with database.read() as connection:
        merged = [row for row in audit.export(connection) if row["event"] == "incident_merged"]
    assert [(row["subject"], row["detail"]["into"]) for row in merged] == [
        (before["b"], before["a"])
    ]


def test_what_comes_for_an_absorbed_incident_goes_to_the_one_it_is_part_of(
    database: Database,
) -> None:
    one_by_one(database, content("a", "hash-1"), content("b", "hash-2"))
    one_by_one(database, content("c", "hash-1", "hash-2"), content("d", "hash-2"))
    assert ids(database)["d"] == ids(database)["a"]


@pytest.mark.requirement("R7")
def test_a_detected_incident_takes_others_in_and_is_never_absorbed(database: Database) -> None:
    one_by_one(database, content("a", "hash-1"), major("b", "hash-2"))
    before = ids(database)
    assert status_of(database, before["b"])[0] == "detected"
    one_by_one(database, content("c", "hash-1", "hash-2"))
    assert set(ids(database).values()) == {before["b"]}


@pytest.mark.requirement("R7")
def test_two_detected_incidents_stay_two_and_the_older_gets_the_report(database: Database) -> None:
    one_by_one(database, major("a", "hash-1"), major("b", "hash-2"))
    before = ids(database)
    one_by_one(database, content("c", "hash-1", "hash-2"), content("d", "hash-2"))
    after = ids(database)
    assert (after["a"], after["b"]) == (before["a"], before["b"])
    assert after["c"] == before["a"]
    assert {status_of(database, each)[0] for each in before.values()} == {"detected"}


def test_an_incident_that_has_ended_gets_no_more_reports(database: Database) -> None:
    one_by_one(database, major("a", "hash-1"))
    with database.write() as connection:
        connection.execute(update(incident).values(status="ended"))
    assert one_by_one(database, content("b", "hash-1")) == apart("a", "b")
    assert one_by_one(database, content("c", "hash-1")) == {
        frozenset({"a"}),
        frozenset({"b", "c"}),
    }


def test_each_link_says_in_words_what_it_rests_on(database: Database) -> None:
    one_by_one(database, content("a", "hash-1", "ip-1", "ip-2"), content("b", "ip-2", "ip-1"))
    incident_id = ids(database)["a"]
    assert history(database, "a") == [
        {"incident": incident_id, "by": "correlation", "reason": {"opens": True, "shared": []}}
    ]
    (entry,) = history(database, "b")
    assert entry["reason"] == {
        "opens": False,
        "shared": ["ip 198.51.100.1", "ip 198.51.100.2"],
    }


@pytest.mark.parametrize("in_one_batch", [False, True])
def test_a_merge_stands_in_the_history_of_the_reports_it_moved(
    database: Database, in_one_batch: bool
) -> None:
    reports = content("a", "hash-1"), content("b", "hash-2"), content("c", "hash-1", "hash-2")
    if in_one_batch:
        settle(database, reports)
    else:
        one_by_one(database, *reports)
    final = ids(database)["c"]
    with database.read() as connection:
        through = connection.scalar(select(report.c.id).where(report.c.source_id == "c"))
    for name in ("a", "b"):
        last = history(database, name)[-1]
        assert last["incident"] == final
        reason = last["reason"]
        assert isinstance(reason, dict)
        if not reason["opens"]:
            assert reason["through"] == through
            assert len(reason["shared"]) == 2
            assert all(words.startswith("sha256 ") for words in reason["shared"])
    opened = [history(database, name)[-1]["reason"] for name in ("a", "b", "c")]
    assert sum(1 for reason in opened if isinstance(reason, dict) and reason["opens"]) == 1
