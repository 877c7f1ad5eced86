"""Putting the records of a bench into Kafka before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from infra import kafka
from infra.settings import KafkaSettings
from leerp.bench.stream import Record

TELL_EVERY = 1_000


async def produce(
    settings: KafkaSettings, records: Iterable[Record], told: Callable[[int], None]
) -> int:
    """Send all, wait until Kafka has them, and return the bytes of their bodies.

    ``told`` hears how many have been sent.
    """
    producer = kafka.producer(settings)
    await producer.start()
    size = 0
    try:
        for number, record in enumerate(records, start=1):
            await producer.send(record.topic, record.body, partition=record.partition)
            size += len(record.body)
            if number % TELL_EVERY == 0:
                told(number)
        await producer.flush()
    finally:
        await producer.stop()
    return size
