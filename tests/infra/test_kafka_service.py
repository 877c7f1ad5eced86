"""The embedded Kafka: real starts and stops."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import MessageSizeTooLargeError

from infra import kafka
from infra.services import kafka as embedded
from infra.services.ports import PORTS_FILE, Ports
from infra.services.supervisor import Supervisor
from infra.settings import KafkaSettings
from protocol.errors import ServiceDown
from protocol.parties import SourceGroup

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

TOPIC = kafka.topic_of(SourceGroup.CSIRT)


async def publish(settings: KafkaSettings, *values: bytes) -> None:
    async with kafka.producer(settings) as producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value)


async def stored(settings: KafkaSettings, count: int) -> list[bytes]:
    values: list[bytes] = []
    async with kafka.consumer(settings, TOPIC, group_id="leerp-intake-test") as consumer:
        while len(values) < count:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                values += [record.value for record in records]
    return sorted(values)


async def test_records_and_topics_outlive_a_restart_on_other_ports(tmp_path: Path) -> None:
    service, first = await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        assert sorted(await kafka.create_topics(first)) == sorted(kafka.TOPICS.values())
        assert await kafka.create_topics(first) == []
        await publish(first, b"one", b"two")

    (tmp_path / PORTS_FILE).unlink()
    service, second = await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        assert set(kafka.TOPICS.values()) <= await kafka.existing_topics(second)
        await publish(second, b"three")

        assert second.bootstrap != first.bootstrap
        assert await stored(second, 3) == [b"one", b"three", b"two"]


async def test_the_data_folder_is_made_whatever_its_random_identity_begins_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins_with_a_dash = uuid.UUID(bytes=b"\xf8" + bytes(15))
    monkeypatch.setattr(uuid, "uuid4", lambda: begins_with_a_dash)
    await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings())
    assert (tmp_path / "kafka" / "data" / "meta.properties").exists()


async def test_records_outlive_a_killed_broker(tmp_path: Path) -> None:
    ports = Ports(tmp_path)
    service, settings = await embedded.prepare(tmp_path, ports, KafkaSettings())
    async with Supervisor() as supervisor:
        running = await supervisor.start(service)
        await kafka.create_topics(settings)
        await publish(settings, b"one")
        running.process.kill()
        assert "Kafka was ended by SIGKILL" in str(await supervisor.watch())

    service, settings = await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        assert await stored(settings, 1) == [b"one"]


async def test_large_records_are_taken_up_to_the_limit_and_no_topic_is_made_by_mistake(
    tmp_path: Path,
) -> None:
    service, settings = await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings())
    async with Supervisor() as supervisor:
        await supervisor.start(service)
        await kafka.create_topics(settings)
        large = b"x" * 5_000_000
        await publish(settings, large)
        assert [len(value) for value in await stored(settings, 1)] == [5_000_000]

        with pytest.raises(MessageSizeTooLargeError):
            await publish(settings, b"x" * (kafka.MAX_MESSAGE_BYTES + 1))

        admin = AIOKafkaAdminClient(**kafka.connection(settings))
        await admin.start()
        await admin.describe_topics(["no.such.topic"])  # asking for a topic makes it, by default
        await admin.close()
        assert "no.such.topic" not in await kafka.existing_topics(settings)


async def test_nothing_listening_is_reported_with_what_to_do(tmp_path: Path) -> None:
    port = Ports(tmp_path).pick("nobody")

    with pytest.raises(ServiceDown, match="leerp doctor"):
        await kafka.existing_topics(KafkaSettings(bootstrap=f"127.0.0.1:{port}"))


async def test_without_java_the_way_to_get_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ServiceDown, match="needs Java 17 or newer"):
        await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings())


async def test_an_empty_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(ServiceDown, match="make setup"):
        await embedded.prepare(tmp_path, Ports(tmp_path), KafkaSettings())
