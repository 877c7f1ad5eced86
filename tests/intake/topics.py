"""What lies in a topic of a real broker, for tests of those who write to it."""

from __future__ import annotations

import uuid
from typing import Any

from infra import kafka
from infra.settings import KafkaSettings

LINGER_MS = 500


def client_lines(settings: KafkaSettings) -> str:
    """The lines of a client file by which a sender reaches this broker."""
    return (
        f"bootstrap.servers={settings.bootstrap}\nsecurity.protocol={settings.security}\n"
        f"sasl.mechanism={settings.mechanism}\nsasl.username={settings.username}\n"
        f"sasl.password={kafka.password_of(settings)}\n"
    )


async def lying_in(settings: KafkaSettings, topic: str) -> list[Any]:
    """All records of the topic, in the order of partition and offset."""
    consumer = kafka.consumer(settings, topic, group_id=f"leerp-intake-{uuid.uuid4()}")
    async with consumer:
        partitions = [*consumer.assignment()] or [*await _assigned(consumer)]
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=LINGER_MS)).values():
                found += records
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def _assigned(consumer: Any) -> set[Any]:
    while not consumer.assignment():
        await consumer.getmany(timeout_ms=LINGER_MS, max_records=1)
        for partition in consumer.assignment():
            await consumer.seek_to_beginning(partition)
    return set(consumer.assignment())
