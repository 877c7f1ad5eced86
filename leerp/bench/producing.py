"""Putting the records of a bench into Kafka before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from infra import kafka
from infra.settings import KafkaSettings
from leerp.bench.stream import Record

TELL_EVERY = 1_000


async def produce(
    settings: KafkaSettings, records: Iterable[Record], told: Callable[[int], None]
) -> None:
    """Send all and wait until Kafka has them; ``told`` hears how many have been sent."""
    producer = kafka.producer(settings)
    await producer.start()
    try:
        for number, record in enumerate(records, start=1):
            await producer.send(record.topic, record.body, partition=record.partition)
            if number % TELL_EVERY == 0:
                told(number)
        await producer.flush()
    finally:
        await producer.stop()
