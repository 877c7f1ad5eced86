"""The bench's reports: the same each time, all different, and such that intake has work with them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import func, select

from infra import kafka
from infra.database import Database
from infra.packing import unpacked
from infra.tables import incident, report
from intake.records import RawRecord
from intake.sheaf import Read
from leerp.bench.story import Story
from leerp.bench.stream import Record, Stream
from protocol.parties import ANONYMOUS
from tests.intake.samples import clusters, store_of
from tests.intake.samples import read as prepared

FEW = 300


def read(records: Iterable[Record]) -> list[Read]:
    offsets: Counter[tuple[str, int]] = Counter()
    found = []
    for record in records:
        place = record.topic, record.partition
        found.append(
            RawRecord(
                topic=record.topic,
                partition=record.partition,
                offset=offsets[place],
                group=kafka.group_of(record.topic),
                principal=ANONYMOUS,
                headers={},
                body=record.body,
                received_at=datetime.now(UTC),
            )
        )
        offsets[place] += 1
    return prepared(*found)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert list(Stream(50)) == list(Stream(50))
    assert not {r.body for r in Stream(50)} & {r.body for r in Stream(50, seed=2)}


def test_the_reports_are_distinct_of_1200_bytes_and_name_five_indicators_each() -> None:
    bodies = [record.body for record in Stream(FEW)]
    assert len(set(bodies)) == FEW
    assert 1_100 < sum(map(len, bodies)) / FEW < 1_300
    named = {len(unpacked(ready.reports[0].indicators)) for _, ready in read(Stream(FEW))}
    assert named == {5}


def test_the_stream_makes_clusters_detections_and_reports_that_stand_alone(
    database: Database,
) -> None:
    store_of(database).settle(read(Stream(FEW)), source="test")
    sizes = [len(members) for members in clusters(database)]
    assert max(sizes) > FEW / 20
    assert sizes.count(1) > FEW / 20
    with database.read() as connection:
        states = Counter(connection.scalars(select(incident.c.status)))
    assert states["detected"] >= 1
    assert states["triage"] > states["detected"]


def test_the_story_ends_as_it_says_that_it_must(database: Database) -> None:
    story = Story(FEW)
    settled = Counter[str]()
    store = store_of(database)
    outcomes = read(story)
    for start in range(0, FEW, 100):
        found = store.settle(outcomes[start : start + 100], source="test")
        settled["stored"] += len(found.stored)
        settled["duplicates"] += found.duplicates
        settled["quarantined"] += found.quarantined
    assert settled == story.expected()
    assert min(settled.values()) > 0
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(report)) == settled["stored"]


def test_about_half_of_the_story_is_said_again_and_one_in_a_hundred_is_hostile() -> None:
    expected = Story(20_000).expected()
    assert expected.total() == 20_000
    assert 0.48 < expected["duplicates"] / 20_000 < 0.52
    assert 0.005 < expected["quarantined"] / 20_000 < 0.015


def test_every_hostile_body_comes_up() -> None:
    bodies = {record.body for record in itertools.islice(Story(20_000), 4_000)}
    assert b"" in bodies
    assert len({ready.reason for _, ready in read(Story(2_000)) if ready.reason}) > 2
