"""A batch that unpacks to a thousand times its size, from a producer who may write: F-K8.

Intake never unpacks it: the topics store batches uncompressed, so the broker does, under the limit of
its own process.
"""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from infra import kafka
from protocol.parties import SourceGroup
from tests.faults.conftest import Grounds
from tests.faults.ground import Ground, Services, forget_peak, memory
from tests.faults.scale import Scale
from tests.faults.storm import storm

pytestmark = [pytest.mark.asyncio, pytest.mark.services]

MEGABYTE = 1_000_000
LARGEST = 2**31 - 1
BROKER_LIMIT = 1_000 * MEGABYTE
"""Its heap of 512 MB, and what a Java process has beside it."""
GROWTH = 20 * MEGABYTE
ANSWER_SECONDS = 60
NO_ANSWER_SECONDS = 10
"""Where the broker is to end over it."""


async def throw(
    ground: Ground, megabytes: int, records: int, *, within: int = ANSWER_SECONDS
) -> str:
    """Send so many records of zeros as one batch of gzip; what the broker says of it."""
    async with AIOKafkaProducer(
        **kafka.connection(ground.settings.kafka),
        compression_type="gzip",
        max_request_size=LARGEST,
        max_batch_size=LARGEST,
        request_timeout_ms=within * 500,
    ) as producer:
        batch = producer.create_batch()
        for _ in range(records):
            batch.append(key=None, value=bytes(megabytes * MEGABYTE), timestamp=None)
        topic = kafka.topic_of(SourceGroup.OSINT)
        sent = await producer.send_batch(batch, topic, partition=0)
        try:
            async with asyncio.timeout(within):
                await sent
        except (KafkaError, TimeoutError) as exc:
            return type(exc).__name__
    return "accepted"


@pytest.mark.parametrize(("megabytes", "records"), [(50, 1), (4, 30)])
async def test_fk8_a_batch_that_unpacks_above_the_limit_is_refused_and_the_others_go_on(
    grounds: Grounds, services: Services, scale: Scale, megabytes: int, records: int
) -> None:
    ground = await grounds()
    storms = storm(f"fk8-{records}", 300, 0)
    with ground.intake() as intake:
        await ground.publish(storms.bodies[:100])
        await ground.until_settled(100)
        before = memory(intake.pid)["VmRSS"]
        forget_peak(intake.pid)
        for _ in range(scale.repetitions):
            assert await throw(ground, megabytes, records) == "MessageSizeTooLargeError"
        assert memory(intake.pid)["VmHWM"] - before < GROWTH
        assert memory(services.broker.pid())["VmHWM"] < BROKER_LIMIT
        await ground.publish(storms.bodies[100:])
        await ground.until_settled(len(storms.bodies))
        assert intake.poll() is None
    await ground.check_once(storms)


async def test_fk8_a_bomb_that_ends_the_broker_costs_no_record_and_intake_reads_on(
    grounds: Grounds, services: Services, scale: Scale
) -> None:
    ground = await grounds()
    storms = storm("fk8-end", 300, 0)
    half = len(storms.bodies) // 2
    with ground.intake() as intake:
        await ground.publish(storms.bodies[:half])
        await ground.until_settled(half)
        before = memory(intake.pid)["VmRSS"]
        services.broker.pid()  # so that it can be started again
        for _ in range(min(scale.repetitions, 5)):
            assert await throw(ground, 400, 1, within=NO_ANSWER_SECONDS) != "accepted"
            await services.broker.revive()
        await ground.publish(storms.bodies[half:])
        await ground.until_settled(len(storms.bodies))
        assert memory(intake.pid)["VmRSS"] - before < GROWTH
        assert intake.poll() is None
    await ground.check_once(storms)
