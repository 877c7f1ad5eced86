"""Reading past records that the Kafka client cannot decode.

aiokafka raises ``UnicodeDecodeError`` out of ``getmany`` over a header whose name is not UTF-8, again
and again, without saying where. The broker takes such a record from anybody who may write. What its
sender put after it into the same batch cannot be reached either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

Batch = dict[TopicPartition, list[Any]]
"""Records of aiokafka, or ``Unreadable`` in their place, in the order of their offsets."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a record of which nothing but its place is known."""

    topic: str
    partition: int
    offset: int


async def fetch_one_by_one(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], *, limit: int, wait_ms: int
) -> Batch:
    """Read about ``limit`` records in all, one after the other, past those that cannot be decoded.

    Call it with every partition at a known position, since what the call that failed had read of
    others is lost.
    """
    share = max(1, limit // max(1, len(partitions)))
    batch: Batch = {}

    async def read(partition: TopicPartition) -> None:
        records: list[Any] = []
        while len(records) < share and partition in consumer.assignment():
            try:
                got = await consumer.getmany(partition, timeout_ms=wait_ms, max_records=1)
            except UnicodeDecodeError:
                offset = await consumer.position(partition)
                records.append(Unreadable(partition.topic, partition.partition, offset))
                consumer.seek(partition, offset + 1)
                continue
            if not got:
                break
            records += got[partition]
        if records:
            batch[partition] = records

    await asyncio.gather(*(read(partition) for partition in partitions))
    return batch
