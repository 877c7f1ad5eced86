"""The controls as a process: the keep-the-bytes loop (R1), and counting only (R1b).

``python -m leerp.bench.control EXPECTED [DATABASE]``; without a database it counts. Kafka is where the
environment says. Writes when it had how many records, batch by batch, as JSON to standard output.
Source: reliability 1.6.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from contextlib import closing

from aiokafka import TopicPartition

from infra import kafka
from infra.settings import KafkaSettings, Settings
from leerp.bench.kept import Kept, kept_in

BATCH = 1_000
POLL_MS = 200


async def read_all(
    settings: KafkaSettings, expected: int, kept: Kept | None
) -> list[tuple[float, int]]:
    """Read ``expected`` records of the intake topics and keep them, or only count them.

    Returns the monotonic time and the number of records after each batch.
    """
    consumer = kafka.consumer(settings)
    await consumer.start()
    try:
        places = [
            TopicPartition(topic, number)
            for topic in kafka.TOPICS.values()
            for number in range(kafka.PARTITIONS)
        ]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        seen, points = 0, []
        while seen < expected:
            batch = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)
            bodies = [record.value or b"" for part in batch.values() for record in part]
            if kept and bodies:
                kept.keep(
                    [(hashlib.sha256(body).digest(), body) for body in bodies],
                    {(p.topic, p.partition): part[-1].offset + 1 for p, part in batch.items()},
                )
            if bodies:
                seen += len(bodies)
                points.append((time.monotonic(), seen))
        return points
    finally:
        await consumer.stop()


def main(expected: int, database: str) -> None:
    """Run one control."""
    settings = Settings().kafka
    if database:
        with closing(kept_in(database)) as kept:
            measured = asyncio.run(read_all(settings, expected, kept))
    else:
        measured = asyncio.run(read_all(settings, expected, None))
    json.dump(measured, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
