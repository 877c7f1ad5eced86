"""Kafka clients of intake: the first one, and further ones when one has stalled or broken.

A command that finds no Kafka says so at once; a process that has worked waits until it is back.
"""

from __future__ import annotations

import asyncio
import random

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from infra import kafka
from infra.settings import KafkaSettings

log = structlog.get_logger()

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
STOP_SECONDS = 10.0
NOT_ALLOWED = (GroupAuthorizationFailedError, TopicAuthorizationFailedError)
"""Another client would be refused like this one: a person has to give us the right."""


async def first_client(settings: KafkaSettings) -> AIOKafkaConsumer:
    """A client that has reached Kafka.

    Raises:
        ServiceDown: Kafka does not answer, or refuses our login.
    """
    try:
        return await _started(settings)
    except KafkaError as exc:
        raise await kafka.failure(settings, exc) from exc


async def next_client(settings: KafkaSettings, stop: asyncio.Event) -> AIOKafkaConsumer | None:
    """Another client, as soon as Kafka answers; None when told to stop meanwhile.

    Pauses between attempts double, with jitter, so that many processes do not come at once.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            await asyncio.wait_for(stop.wait(), random.uniform(pause / 2, pause))  # noqa: S311
        except TimeoutError:
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            return None
        try:
            return await _started(settings)
        except KafkaError as exc:
            log.warning("kafka_still_away", error=type(exc).__name__)


async def _started(settings: KafkaSettings) -> AIOKafkaConsumer:
    """A client that runs; one that does not come so far, because we were told to stop too, is let go."""
    consumer = kafka.consumer(settings, group_id=settings.group_id)
    try:
        await consumer.start()
    except BaseException:
        await let_go(consumer)
        raise
    return consumer


async def let_go(consumer: AIOKafkaConsumer) -> None:
    """Stop a client; one that cannot even stop is left to itself."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await consumer.stop()
    except (TimeoutError, KafkaError) as exc:
        log.warning("client_left_behind", error=type(exc).__name__)
