"""The triage list: what is no incident yet, the most urgent first, and how long detection took."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from classification.detection_time import detection_times
from infra import casefile
from infra.database import Database
from infra.tables import incident, report, stage_log
from infra.tables_regrouping import triage_view
from intake.triage import Page, triage
from protocol.report import Affected, Impact, Relation, ReportContent, Reporter
from protocol.stages import Stage
from tests.intake.samples import START, content, major, profile, read_all, store_of
from workflows.detection_times import as_rows, load_detection_times
from workflows.overview import incident_details, timeline

NOW = START + timedelta(hours=2)
RULES = profile().correlation
SMALL = Impact(criteria=("non-critical-degraded",))
"""Never grave enough for a detection."""


def settle(database: Database, *reports: ReportContent, first: int = 0) -> None:
    store_of(database).settle(read_all(reports, first=first), source="test")


def page(database: Database, **options: Any) -> Page:
    return triage(database, profile(), **{"now": NOW, "limit": 20, **options})


def received(database: Database, hours_ago: dict[str, float]) -> None:
    """Set when the reports came."""
    with database.write() as connection:
        for name, hours in hours_ago.items():
            at = NOW - timedelta(hours=hours)
            connection.execute(
                update(report).where(report.c.source_id == name).values(received_at=at)
            )


def hit(*countries: str, sector: str = "health") -> tuple[Affected, ...]:
    named = tuple(Affected(kind="country", value=country) for country in countries)
    return (*named, Affected(kind="sector", value=sector))


def names(database: Database, found: Page) -> list[str]:
    """The source id of the first report of each cluster."""
    with database.read() as connection:
        rows = connection.execute(select(report.c.incident_id, report.c.source_id))
        first = {row.incident_id: row.source_id for row in rows}
    return [first[each["id"]] for each in found.clusters]


def test_nothing_under_triage_is_an_empty_page(database: Database) -> None:
    settle(database, major("a", "hash-1"))
    found = page(database)
    assert (found.total, found.clusters) == (0, [])


@pytest.mark.requirement("R7")
def test_clusters_are_ordered_by_the_class_that_they_could_be(database: Database) -> None:
    firms = (Affected(kind="organisation", value=name) for name in ("one", "two"))
    settle(
        database,
        content("harmless", "hash-1"),
        content("two-states", "hash-2", impact=SMALL, affected=hit("EE", "FI")),
        content("one-state", "hash-3", impact=SMALL, affected=(*hit("EE"), *firms)),
    )
    found = page(database)
    assert names(database, found)[0] == "two-states"
    assert names(database, found)[-1] == "harmless"
    classes = [each["class"] for each in found.clusters]
    assert classes == sorted(classes, reverse=True)
    first = found.clusters[0]
    assert (first["countries"], first["sectors"]) == (["EE", "FI"], ["health"])
    assert (first["groups"], first["sources"], first["reports"]) == (["csirt"], 1, 1)


def test_of_one_class_the_fastest_growing_comes_first(database: Database) -> None:
    settle(database, *(content(f"slow-{n}", "hash-1") for n in range(4)))
    settle(database, *(content(f"fast-{n}", "hash-2") for n in range(3)), first=10)
    received(database, {f"slow-{n}": 40 - 10 * n for n in range(4)} | {"slow-3": 0.5})
    received(database, {f"fast-{n}": 0.1 * n for n in range(3)})
    found = page(database)
    assert [name.split("-")[0] for name in names(database, found)] == ["fast", "slow"]
    fast, slow = found.clusters
    assert (fast["last_hour"], fast["before"], fast["growth"]) == (3, 0.0, 3.0)
    assert (slow["last_hour"], slow["before"]) == (1, round(3 / 39, 2))
    assert slow["first"] == NOW - timedelta(hours=40)
    assert slow["last"] == NOW - timedelta(hours=0.5)


def test_pages_follow_each_other(database: Database) -> None:
    settle(database, *(content(f"r{n}", f"hash-{n + 10}") for n in range(5)))
    pages = [page(database, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [each.total for each in pages] == [5, 5, 5]
    seen = [each["id"] for one in pages for each in one.clusters]
    assert len(seen) == len(set(seen)) == 5


def test_a_class_is_worked_out_again_when_a_report_comes_or_is_taken_back(
    database: Database,
) -> None:
    settle(database, content("a", "hash-1"))
    assert page(database).clusters[0]["class"] == "C0"
    settle(database, content("b", "hash-1", impact=SMALL, affected=hit("EE", "FI")), first=1)
    grave = page(database).clusters[0]["class"]
    assert grave > "C0"
    back = content("w", relations=(Relation(kind="withdraws", id="b"),))
    settle(database, back, first=2)
    assert {each["class"] for each in page(database).clusters} == {"C0"}


def test_a_class_that_nothing_has_changed_is_not_worked_out_again(database: Database) -> None:
    settle(database, content("a", "hash-1"), content("b", "hash-2"))
    page(database)
    with database.write() as connection:
        kept = connection.execute(select(triage_view)).all()
        for row in kept:  # what is kept is what is shown, so it was not made anew
            view = {**row.view, "sectors": ["kept"]}
            connection.execute(
                update(triage_view)
                .where(triage_view.c.incident_id == row.incident_id)
                .values(view=view)
            )
    assert [each["sectors"] for each in page(database).clusters] == [["kept"], ["kept"]]


def test_what_officers_state_counts_for_the_class(database: Database) -> None:
    worm = Impact(criteria=("non-critical-denied",), self_propagating=True)
    settle(database, content("a", "hash-1", impact=worm, affected=hit("EE")))
    before = page(database).clusters[0]["reach"]
    likely = {"officer": "ana", "text": "likely", "country": "FI", "probability": 0.9}
    with database.write() as connection:
        where = connection.scalar(select(incident.c.id)) or ""
        casefile.add_artefact(
            connection, where, "findings", {"probable_countries": [likely]}, by="ana", channel="x"
        )
    assert before < page(database).clusters[0]["reach"] == "P4"


def named_by(number: int, sources: int) -> list[ReportContent]:
    return [
        content(f"r{n}", "hash-1", reporter=Reporter(name=f"CSIRT {n % sources}"))
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("reports", "sources", "hub"),
    [
        (RULES.hub_reports, RULES.hub_sources, True),
        (RULES.hub_reports - 1, RULES.hub_sources, False),
        (RULES.hub_reports, RULES.hub_sources - 1, False),
    ],
)
def test_an_indicator_that_many_reports_of_many_sources_name_is_called_a_hub(
    database: Database, reports: int, sources: int, hub: bool
) -> None:
    settle(database, *named_by(reports, sources))
    (cluster,) = page(database).clusters
    (holding,) = cluster["held_by"]
    assert holding["indicator"].startswith("sha256 ")
    assert (holding["reports"], holding["sources"], holding["hub"]) == (reports, sources, hub)
    assert [holding["indicator"] in said for said in cluster["hubs"]] == ([True] if hub else [])


# Least detection time


@pytest.mark.requirement("R7")
def test_detection_time_counts_from_the_first_event_with_its_uncertainty(
    database: Database,
) -> None:
    settle(database, content("a", "hash-1", day=-3, lasts=1), major("b", "hash-1", day=-2.5))
    with database.write() as connection:
        where = connection.scalar(select(incident.c.id)) or ""
        connection.execute(update(incident).values(detected_at=START + timedelta(hours=1)))
        connection.execute(
            insert(stage_log).values(
                incident_id=where,
                number=2,
                stage=Stage.COORDINATION,
                entered=START + timedelta(hours=3),
            )
        )
    with database.read() as connection:
        times = as_rows(load_detection_times(connection, where))
        shown = incident_details(connection, where)["detection_times"]
        told = [row["what"] for row in timeline(connection, where)]
    assert shown == times
    assert told[:3] == ["first event", "first report", "detection"]
    day = 24 * 3600
    assert times["event_to_report"] == {"least_seconds": 2.5 * day, "most_seconds": 3 * day}
    assert times["report_to_detection"] == {"least_seconds": 3600, "most_seconds": 3600}
    assert times["detection_to_launch"] == {"least_seconds": 7200, "most_seconds": 7200}


@pytest.mark.requirement("R7")
def test_a_detection_is_dated_and_a_cluster_is_not(database: Database) -> None:
    settle(database, major("a", "hash-1"), content("b", "hash-2"))
    with database.read() as connection:
        found = {
            row.status: load_detection_times(connection, row.id)
            for row in connection.execute(select(incident))
        }
    assert found["detected"].detection is not None
    assert found["triage"].detection is None
    assert found["triage"].event_to_detection is None


@given(
    offsets=st.lists(st.tuples(st.integers(-500, 500), st.integers(0, 300)), max_size=5),
    moments=st.tuples(*[st.none() | st.integers(-500, 500)] * 3),
)
def test_spans_are_never_negative_and_least_is_never_above_most(
    offsets: list[tuple[int, int]], moments: tuple[int | None, ...]
) -> None:
    hour = timedelta(hours=1)
    events = [(START + hour * begin, START + hour * (begin + lasts)) for begin, lasts in offsets]
    first, detected, launched = (None if m is None else START + hour * m for m in moments)
    times = detection_times(events, first_report=first, detection=detected, launch=launched)
    assert (times.event_to_report is None) == (not events or first is None)
    for span in (
        times.event_to_report,
        times.event_to_detection,
        times.event_to_launch,
        times.report_to_detection,
        times.detection_to_launch,
    ):
        assert span is None or timedelta() <= span.least <= span.most
    if times.first_event:
        assert times.first_event[0] == min(earliest for earliest, _ in events)
        assert times.first_event[0] <= times.first_event[1]
