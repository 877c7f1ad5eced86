"""The producer library on a real broker: what a CERT's own program sends, and what is held back."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from infra.intake_limits import IntakeSettings
from infra.kafka import topic_of
from infra.services.ports import Ports
from infra.settings import KafkaSettings
from intake.producer import ReportProducer
from protocol.errors import Refused, ServiceDown
from protocol.parties import DetectedBy, SourceGroup
from tests.intake.samples import body_of, content
from tests.intake.topics import client_lines, lying_in

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

TOPIC = topic_of(SourceGroup.CSIRT)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def producer(kafka: KafkaSettings) -> AsyncIterator[ReportProducer]:
    async with ReportProducer(kafka, TOPIC) as connected:
        yield connected


async def record_at(settings: KafkaSettings, partition: int, offset: int) -> Any:
    return next(
        each
        for each in await lying_in(settings, TOPIC)
        if (each.partition, each.offset) == (partition, offset)
    )


async def test_the_receipt_says_where_the_bytes_lie(
    kafka: KafkaSettings, producer: ReportProducer
) -> None:
    body = body_of(content("receipt"))
    receipt = await producer.send(body)

    assert receipt.topic == TOPIC
    assert receipt.sha256 == hashlib.sha256(body).hexdigest()
    assert (await record_at(kafka, receipt.partition, receipt.offset)).value == body


async def test_a_report_a_document_and_bytes_arrive_as_the_same(
    kafka: KafkaSettings, producer: ReportProducer
) -> None:
    report = content("three-ways", "hash-1", title="Täuschung")
    receipts = [
        await producer.send(form) for form in (report, json.loads(body_of(report)), body_of(report))
    ]
    records = [await record_at(kafka, each.partition, each.offset) for each in receipts]
    assert len({json.dumps(json.loads(each.value), sort_keys=True) for each in records}) == 1


@pytest.mark.requirement("R5")
async def test_headers_say_what_the_sender_declares_and_nothing_else(
    kafka: KafkaSettings, producer: ReportProducer
) -> None:
    declared = await producer.send(
        b"ip\n198.51.100.1\n", format="csv", media_type="text/csv", detected_by=DetectedBy.PRIMARY
    )
    bare = await producer.send(content("bare"))

    assert (await record_at(kafka, declared.partition, declared.offset)).headers == (
        ("leerp-format", b"csv"),
        ("content-type", b"text/csv"),
        ("leerp-detected-by", b"primary"),
    )
    assert (await record_at(kafka, bare.partition, bare.offset)).headers == ()


async def test_versions_of_one_report_lie_in_one_partition_in_the_order_of_sending(
    kafka: KafkaSettings, producer: ReportProducer
) -> None:
    posted = [
        await producer.post(content(f"versions-{number % 7}", title=f"Version {number}"))
        for number in range(70)
    ]
    receipts = [await each.receipt() for each in posted]
    assert len({each.partition for each in receipts}) > 1

    for name in range(7):
        places = [(r.partition, r.offset) for n, r in enumerate(receipts) if n % 7 == name]
        assert len({partition for partition, _ in places}) == 1
        assert places == sorted(places)
    keys = {record.key for record in await lying_in(kafka, TOPIC) if record.key}
    assert b"versions-3" in keys


async def test_versions_of_a_foreign_report_stay_together_too(
    kafka: KafkaSettings, producer: ReportProducer
) -> None:
    uuid = "5a0c0b1e-0000-4000-8000-000000000001"
    event = {"Event": {"uuid": uuid, "info": "One", "date": "2026-01-01", "timestamp": "1"}}
    receipt = await producer.send(event)
    assert (await record_at(kafka, receipt.partition, receipt.offset)).key == uuid.encode()


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"times": []}, "no-time", "times is empty"),
        ({"titel": "x"}, "unknown-field", "unknown field"),
        ({"indicators": [{"type": "ip", "value": "nowhere"}]}, "bad-indicator", r"indicators\[0\]"),
        ({"title": None}, "invalid-field", "title is not a text"),
    ],
)
async def test_an_own_report_that_intake_would_refuse_is_held_back_with_the_reason(
    kafka: KafkaSettings, producer: ReportProducer, changes: dict[str, Any], reason: str, said: str
) -> None:
    before = len(await lying_in(kafka, TOPIC))
    document = json.loads(body_of(content("held"))) | changes
    for form in (document, json.dumps(document).encode()):
        with pytest.raises(Refused, match=said) as refused:
            await producer.send(form)
        assert refused.value.reason == reason
    assert len(await lying_in(kafka, TOPIC)) == before


async def test_a_document_declared_as_own_must_be(producer: ReportProducer) -> None:
    with pytest.raises(Refused, match="declared as leerp-report/1") as refused:
        await producer.send({"title": "x"}, format="leerp-report/1")
    assert refused.value.reason == "format-mismatch"


async def test_what_is_in_no_own_format_is_left_to_intake(producer: ReportProducer) -> None:
    assert (await producer.send(b"{half a document")).offset >= 0


async def test_without_the_check_everything_but_the_too_large_is_left_to_intake(
    kafka: KafkaSettings,
) -> None:
    limits = IntakeSettings(max_record_bytes=100)
    async with ReportProducer(kafka, TOPIC, limits=limits, check=False) as unchecked:
        for body in (b"", b'{"format": "leerp-report/1"}'):
            receipt = await unchecked.send(body)
            assert (await record_at(kafka, receipt.partition, receipt.offset)).value == body
        with pytest.raises(Refused, match="101 bytes, more than the 100") as refused:
            await unchecked.send(b"x" * 101)
        assert refused.value.reason == "too-large"


@pytest.mark.parametrize(
    ("body", "options", "reason"),
    [
        (b"x" * 4_000_001, {}, "too-large"),
        (b" \n", {}, "empty"),
        ({"times": float("nan")}, {}, "not-json"),
        ({"times": {1, 2}}, {}, "not-json"),
        (b"{}", {"format": "pigeon"}, "unknown-format"),
        (b"{}", {"detected_by": "chance"}, "bad-header"),
    ],
)
async def test_what_can_never_be_accepted_is_refused_before_it_is_sent(
    producer: ReportProducer, body: Any, options: dict[str, str], reason: str
) -> None:
    with pytest.raises(Refused, match=r"^not sent: ") as refused:
        await producer.send(
            body, format=options.get("format"), detected_by=options.get("detected_by")
        )
    assert refused.value.reason == reason


async def test_leaving_waits_for_what_is_on_its_way(kafka: KafkaSettings) -> None:
    async with ReportProducer(kafka, TOPIC) as connected:
        posted = [await connected.post(content(f"leaving-{n}")) for n in range(50)]
    receipts = [each.acknowledged() for each in posted]
    assert None not in receipts
    assert len({(r.partition, r.offset) for r in receipts if r}) == 50


async def test_a_producer_that_is_not_connected_says_how(kafka: KafkaSettings) -> None:
    with pytest.raises(ServiceDown, match="async with"):
        await ReportProducer(kafka, TOPIC).send(content("early"))


async def test_a_program_without_an_event_loop_sends_with_a_client_file(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f"{client_lines(kafka)}topic={TOPIC}\n")
    producer = ReportProducer.from_file(file)
    receipts = await asyncio.to_thread(producer.send_now, content("now-1"), content("now-2"))

    values = [(await record_at(kafka, r.partition, r.offset)).value for r in receipts]
    assert [json.loads(value)["source_id"] for value in values] == ["now-1", "now-2"]


async def test_nothing_listening_is_said_in_words(tmp_path: Path) -> None:
    nobody = KafkaSettings(bootstrap=f"127.0.0.1:{Ports(tmp_path).pick('nobody')}")
    with pytest.raises(ServiceDown, match="Kafka does not answer"):
        async with ReportProducer(nobody, TOPIC):
            pass
