"""Intake on a real broker: what partners send, what strangers send, and restarts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.record.util import calc_crc32c
from sqlalchemy import update

from infra import audit, kafka
from infra.bootstrap import App
from infra.bootstrap import app as open_app
from infra.originals import documents_of
from infra.services.ports import LOOPBACK, Ports
from infra.settings import KafkaSettings
from infra.tables import consumer_offset, report
from intake.consumer import run_intake
from protocol.errors import ServiceDown
from protocol.parties import SourceGroup
from tests.conftest import running
from tests.intake.desk import Desk, Place, desk_at
from tests.intake.samples import body_of, content

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

CRC_AT, CRC_END = 17, 21
"""Where a batch of records keeps its checksum."""
PRIMARY = [("leerp-detected-by", b"primary")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with running(tmp_path_factory.mktemp("consumer")) as settings:
        with open_app(settings.home) as opened:
            yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def open_desk(app: App, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A desk at which intake runs all the time."""
    desk = desk_at(app, "open", tmp_path_factory.mktemp("open"))
    async with desk.intake():
        yield desk
    desk.database.close()


@pytest.fixture
def desk(app: App, tmp_path: Path) -> Iterator[Desk]:
    """A desk of the test's own, closed for now; it finds all that earlier tests published."""
    made = desk_at(app, tmp_path.name, tmp_path)
    yield made
    made.database.close()


# What partners send


@pytest.mark.requirement("R4")
async def test_reports_of_all_groups_are_stored_with_the_group_of_their_topic(
    open_desk: Desk,
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    for group in SourceGroup:
        headers = PRIMARY if group is SourceGroup.OSINT else ()
        sent = content(f"all-{group}", title="I come from group 6, really")
        await open_desk.settled(await open_desk.publish(sent, group=group, headers=headers))
    rows = [row for row in open_desk.rows(report) if row["source_id"].startswith("all-")]
    assert {row["source_id"] for row in rows} == {f"all-{group}" for group in SourceGroup}
    for row in rows:
        group = SourceGroup(row["group"])
        assert row["source_id"] == f"all-{group}"
        assert row["id"].startswith(f"{group.number}-")
        assert row["principal"] == "anonymous"
        assert before <= row["received_at"] <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize("stated", [-(10**17), -1, 0, 10**12])
async def test_the_time_of_arrival_is_the_brokers_and_not_the_senders(
    open_desk: Desk, stated: int
) -> None:
    name, before = f"time-{stated}", datetime.now(UTC) - timedelta(seconds=1)
    await open_desk.settled(await open_desk.publish(content(name), timestamp_ms=stated))
    (row,) = [row for row in open_desk.rows(report) if row["source_id"] == name]
    assert before <= row["received_at"] <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.requirement("R5")
async def test_how_the_centre_came_to_know_is_taken_from_the_delivery(open_desk: Desk) -> None:
    places = await open_desk.publish(content("r5"), group=SourceGroup.OSINT, headers=PRIMARY)
    await open_desk.settled(places)
    with open_desk.database.read() as connection:
        (document,) = documents_of(connection, report.c.source_id == "r5")
    assert document["detected_by"] == "primary"


# What strangers send


def own(**changes: Any) -> bytes:
    document = json.loads(body_of(content("stranger")))
    return json.dumps({**document, **changes}).encode()


def without(field: str) -> bytes:
    document = json.loads(body_of(content("stranger")))
    del document[field]
    return json.dumps(document).encode()


BAD: dict[str, tuple[bytes, str, str]] = {
    "not JSON": (b"{not json", "not-json", "is not JSON"),
    "empty": (b"", "empty", "is empty"),
    "wrong types": (own(title=5), "invalid-field", "title is not a text"),
    "a list for an object": (own(reporter=[]), "invalid-field", "reporter is not an object"),
    "NaN": (own(impact={"loss_eur_min": float("nan")}), "not-finite", "NaN"),
    "infinite": (own().replace(b'"stranger"', b"1e999"), "not-finite", "too large"),
    "depth 100,000": (b"[" * 100_000 + b"]" * 100_000, "too-deep", "64 levels"),
    "larger than intake takes": (b" " * 4_500_000, "too-large", "at most 4000000"),
    "NUL": (own(title="a\x00b"), "bad-text", "NUL"),
    "raw NUL": (b'{"a": "\x00"}', "bad-text", "NUL"),
    "lone surrogate": (own(title="a\ud800b"), "bad-text", "surrogate"),
    "not UTF-8": (b'{"a": "\xff\xfe"}', "bad-text", "UTF-8"),
    "overlong UTF-8": (b'{"a": "\xc0\xaf"}', "bad-text", "UTF-8"),
    "control characters": (own(title="\x1b[2J"), "invalid-field", "control character"),
    "unknown format": (b'{"format": "stuff/9"}', "unknown-format", "accepted are leerp-report/1"),
    "XML": (b"<IODEF-Document/>", "unknown-format", "no format that is known"),
    "no time": (without("times"), "no-time", "does not say when"),
    "unknown field": (own(subject="x"), "unknown-field", "unknown field"),
    "a field twice": (b'{"format": "leerp-report/1", "a": 1, "a": 2}', "duplicate-key", "twice"),
}


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("what", BAD)
async def test_a_bad_record_is_quarantined_once_with_its_reason_and_the_partition_goes_on(
    open_desk: Desk, what: str
) -> None:
    body, reason, words = BAD[what]
    places = await open_desk.publish(body, content(f"after {what}"), partition=1)
    await open_desk.settled(places)
    (row,) = open_desk.quarantined(places[0])
    assert (row["reason"], row["size"], row["status"]) == (reason, len(body), "open")
    assert words in row["message"]
    assert open_desk.stored(f"after {what}") == [f"after {what}"]


@pytest.mark.requirement("R5")
@pytest.mark.parametrize(
    ("headers", "reason", "words"),
    [
        ([], "no-detection-source", "primary or secondary"),
        ([("leerp-detected-by", b"somebody")], "bad-header", "'primary' or 'secondary'"),
    ],
)
async def test_a_report_of_group_1_says_how_the_centre_came_to_know(
    open_desk: Desk, headers: list[tuple[str, bytes]], reason: str, words: str
) -> None:
    (place,) = await open_desk.publish(content("group 1"), group=SourceGroup.OSINT, headers=headers)
    await open_desk.settled([place])
    (row,) = open_desk.quarantined(place)
    assert row["reason"] == reason
    assert words in row["message"]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("=?UTF-8?Q?x=0ABcc:_evil@example.invalid?=", "encoded word"),
        ("x\r\nBcc: evil@example.invalid", "one line"),
    ],
)
async def test_a_title_that_could_add_a_header_to_a_mail_is_quarantined(
    open_desk: Desk, title: str, words: str
) -> None:
    sent = json.loads(body_of(content(f"title {words}", title="harmless")))
    place, good = await open_desk.publish(
        json.dumps({**sent, "title": title}).encode(), content(f"after {words}")
    )
    await open_desk.settled([place, good])
    (row,) = open_desk.quarantined(place)
    assert row["reason"] == "invalid-field"
    assert words in row["message"]


@pytest.mark.parametrize(
    "title",
    [
        "{{ 7 * 7 }} {% raw %} %s ${x}",
        "\u202eevil\u2066",
    ],
)
async def test_a_hostile_title_is_kept_as_the_text_that_it_is(open_desk: Desk, title: str) -> None:
    """What goes into a mail's header is made harmless there (notifications.headers)."""
    (place,) = await open_desk.publish(content(f"title {title!r}"[:200], title=title))
    await open_desk.settled([place])
    assert title in [row["title"] for row in open_desk.rows(report)]


async def test_hostile_headers_do_no_harm(open_desk: Desk) -> None:
    headers = [
        ("leerp-format", b"\xff\x00" * 500),
        ("content-type", b"x" * 100_000),
        ("\x00\x1b[2J", b"\r\n"),
        ("leerp-format" * 500, b"\xed\xa0\x80"),
    ]
    (place,) = await open_desk.publish(content("headers"), headers=headers)
    await open_desk.settled([place])
    (row,) = open_desk.quarantined(place)
    assert row["reason"] == "unknown-format"
    assert all(
        len(text) <= 200 and "\x00" not in text for h in row["headers"].items() for text in h
    )


async def publish_misnamed(desk: Desk, *bodies: bytes, partition: int) -> list[Place]:
    """Publish records in one batch; those whose body is ``bad`` have a header name of bytes FF FF."""
    topic = kafka.topic_of(SourceGroup.CSIRT)
    async with AIOKafkaProducer(**kafka.connection(desk.app.settings.kafka)) as producer:
        batch = producer.create_batch()
        for body in bodies:
            name = "QQ" if body == b"bad" else "ok"
            assert batch.append(key=None, value=body, timestamp=None, headers=[(name, b"x")])
        built = bytearray(bytes(batch._build()).replace(b"QQ", b"\xff\xff"))
        built[CRC_AT:CRC_END] = calc_crc32c(built[CRC_END:]).to_bytes(4, "big")
        batch._buffer = built
        sent = await (await producer.send_batch(batch, topic, partition=partition))
    return [(topic, partition, sent.offset + n) for n in range(len(bodies))]


async def test_records_whose_headers_the_client_cannot_read_hold_up_nothing(desk: Desk) -> None:
    """The broker takes them from anybody who may write, and the client raises over them."""
    names = [f"misnamed-{n}" for n in range(4)]
    one, two, three, four = (body_of(content(name)) for name in names)
    hidden = body_of(content("misnamed, behind one in the same batch"))
    places = await publish_misnamed(desk, one, b"bad", hidden, b"bad", partition=0)
    others = await publish_misnamed(desk, b"bad", partition=1)
    others += await desk.publish(two, partition=1)
    async with desk.intake():
        await desk.settled([*places, *others])
        more = await publish_misnamed(desk, three, b"bad", partition=0)
        last = await desk.publish(four, partition=0)
        await desk.settled([*more, *last])
    assert sorted(desk.stored("misnamed")) == names
    kept = [desk.quarantined(place) for place in (*places, *others, *more, *last)]
    assert [len(rows) for rows in kept] == [0, 1, 1, 1, 1, 0, 0, 1, 0]
    assert {row["reason"] for rows in kept for row in rows} == {"bad-header"}
    assert not [row for row in desk.rows(report) if row["duplicates"] and row["source_id"] in names]
    assert_settled_without_gap_or_overlap(desk)


async def test_20_megabytes_are_refused_by_the_broker(app: App) -> None:
    large = 20_000_000
    async with AIOKafkaProducer(
        **kafka.connection(app.settings.kafka), max_request_size=2 * large
    ) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(kafka.topic_of(SourceGroup.CSIRT), b"x" * large)


# Restarts


async def commit(desk: Desk, places: list[Place], offset: int | None) -> None:
    """Set what Kafka believes of the group: ``offset``, or just past these places."""
    consumer = kafka.consumer(desk.app.settings.kafka, group_id=desk.app.settings.kafka.group_id)
    async with consumer:
        wanted = {
            TopicPartition(topic, partition): at + 1 if offset is None else offset
            for topic, partition, at in places
        }
        consumer.assign(list(wanted))
        await consumer.commit(wanted)


async def test_with_a_new_database_everything_is_read_whatever_kafka_believes(desk: Desk) -> None:
    places = await desk.publish(*(content(f"new-{n}") for n in range(5)), partition=2)
    await commit(desk, places, None)
    places += await desk.publish(content("new-5"), partition=2)
    async with desk.intake():
        await desk.settled(places)
    assert desk.stored("new-") == [f"new-{n}" for n in range(6)]


@pytest.mark.parametrize("believed", ["behind", "ahead"])
async def test_a_restart_goes_on_where_the_database_says(desk: Desk, believed: str) -> None:
    names = [f"{believed}-{n}" for n in range(5)]
    first = await desk.publish(content(names[0]), b"bad", content(names[1]), partition=2)
    async with desk.intake():
        await desk.settled(first)
    more = await desk.publish(content(names[2]), b"worse", content(names[3]), partition=2)
    await commit(desk, more, 0 if believed == "behind" else None)
    more += await desk.publish(content(names[4]), partition=2)
    async with desk.intake():
        await desk.settled(more)
    assert desk.stored(believed) == names
    assert [len(desk.quarantined(place)) for place in (*first, *more)] == [0, 1, 0, 0, 1, 0, 0]
    assert not [row for row in desk.rows(report) if row["duplicates"] and row["source_id"] in names]
    assert_settled_without_gap_or_overlap(desk)


def assert_settled_without_gap_or_overlap(desk: Desk) -> None:
    """By the audit trail, every position of every partition was settled exactly once."""
    with desk.database.read() as connection:
        assert audit.verify(connection).verified
        batches = [row for row in audit.export(connection) if row["event"] == "batch_settled"]
    reached: Counter[str] = Counter()
    for batch in batches:
        for partition, span in batch["detail"]["offsets"].items():
            first, last = map(int, span.split("-"))
            assert first == reached[partition]
            reached[partition] = last + 1
    assert reached == {f"{topic}/{n}": to for (topic, n), to in desk.positions().items()}


async def test_two_intakes_share_the_work_and_a_rebalance_loses_and_doubles_nothing(
    desk: Desk,
) -> None:
    names = [f"two-{n}" for n in range(400)]

    async def publish(part: int) -> list[Place]:
        mine = names[part * 100 : (part + 1) * 100]
        return [
            place
            for partition in range(kafka.PARTITIONS)
            for place in await desk.publish(
                *(content(name) for name in mine[partition :: kafka.PARTITIONS]),
                partition=partition,
            )
        ]

    async with AsyncExitStack() as first, AsyncExitStack() as second:
        await first.enter_async_context(desk.intake())
        await desk.settled(await publish(0))
        publishing = asyncio.create_task(publish(1))
        await second.enter_async_context(desk.intake())  # joins while records come in
        await desk.settled(await publishing)
        publishing = asyncio.create_task(publish(2))
        await first.aclose()  # leaves while records come in
        await desk.settled(await publishing)
        await desk.settled(await publish(3))
    assert sorted(desk.stored("two-")) == sorted(names)
    assert not [row for row in desk.rows(report) if row["duplicates"] and row["source_id"] in names]
    assert_settled_without_gap_or_overlap(desk)


async def test_a_topic_that_holds_less_than_was_settled_stops_intake_with_a_reason(
    desk: Desk,
) -> None:
    """Its new records would pass for old ones and be lost without a word."""
    places = await desk.publish(content("less"), partition=3)
    async with desk.intake():
        await desk.settled(places)
    with desk.database.write() as connection:
        connection.execute(update(consumer_offset).values(next=1_000_000))
    with pytest.raises(ServiceDown, match=r"v1/\d ends at \d+ in Kafka, but 1000000"):
        await run_intake(desk.app, asyncio.Event())


async def test_a_broker_that_does_not_answer_is_named_with_what_to_do(desk: Desk) -> None:
    nobody = KafkaSettings(bootstrap=f"{LOOPBACK}:{Ports(desk.app.settings.home).pick('nobody')}")
    settings = desk.app.settings.model_copy(update={"kafka": nobody})
    with pytest.raises(ServiceDown, match="is 'leerp up' running"):
        await run_intake(replace(desk.app, settings=settings), asyncio.Event())
