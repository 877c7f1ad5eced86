"""A steady load: so many reports a second for so long, whatever becomes of them.

``python -m leerp.bench.load BOOTSTRAP RATE SECONDS SEED``. The bodies are made before the first is
sent, and what is due is sent in a burst every few milliseconds. Writes, as JSON to standard output,
for each report its number, topic, partition, offset and the broker's time of arrival in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from infra import kafka
from infra.settings import KafkaSettings, Settings
from leerp.bench.stream import Stream

BURST_SECONDS = 0.005

Arrival = tuple[int, str, int, int, int]
"""Number, topic, partition, offset, milliseconds since 1970."""


async def send(settings: KafkaSettings, stream: Stream, rate: float) -> list[Arrival]:
    """Send the stream at ``rate`` records a second and return where and when each arrived."""
    records = list(stream)
    producer = kafka.producer(settings)
    await producer.start()
    try:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        sent: list[asyncio.Future[Any]] = []
        while len(sent) < len(records):
            due = min(len(records), int((loop.time() - begun) * rate) + 1)
            sent += [
                await producer.send(record.topic, record.body, partition=record.partition)
                for record in records[len(sent) : due]
            ]
            await asyncio.sleep(BURST_SECONDS)
        arrived: list[Any] = await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return [
        (number, place.topic, place.partition, place.offset, place.timestamp)
        for number, place in enumerate(arrived)
    ]


def main(rate: float, seconds: float, seed: int) -> None:
    """Send one load."""
    stream = Stream(max(1, round(rate * seconds)), seed=seed)
    json.dump(asyncio.run(send(Settings().kafka, stream, rate)), sys.stdout)


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
