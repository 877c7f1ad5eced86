"""IntelMQ's queue on a real Redis and a real broker: no event is lost between the two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from redis import Redis

from infra.intake_limits import IntakeSettings
from infra.kafka import topic_of
from infra.settings import KafkaSettings
from intake.bridges.forwarding import Forwarder
from intake.bridges.intelmq_queue import EventQueue, QueueAddress
from intake.producer import ReportProducer
from protocol.errors import Refused, ServiceDown
from protocol.parties import SourceGroup
from tests.intake.bridging import Destination, Told, event, unstopped
from tests.intake.redis_server import running_redis

pytestmark = [pytest.mark.services, pytest.mark.asyncio]

GROUP = SourceGroup.CSIRT
QUEUE, TAKEN, TOO_LARGE = "output", "output-leerp", "output-leerp-refused"
LIMITS = IntakeSettings(max_record_bytes=5_000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def producer(kafka: KafkaSettings) -> AsyncIterator[ReportProducer]:
    async with ReportProducer(kafka, topic_of(GROUP), limits=LIMITS, check=False) as connected:
        yield connected


@pytest_asyncio.fixture
async def there(kafka: KafkaSettings) -> Destination:
    return await Destination.fresh(kafka, GROUP)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running_redis() as opened:
        yield opened


@pytest.fixture
def redis(port: int) -> Iterator[Redis]:
    with Redis(port=port) as client:
        client.flushall()
        yield client


@pytest.fixture
def bridge(port: int, producer: ReportProducer, redis: Redis) -> EventQueue:
    assert redis.ping()
    address = QueueAddress.parse(f"redis://127.0.0.1:{port}/0?queue={QUEUE}")
    return EventQueue(address, Forwarder(producer, "intelmq"))


async def run(bridge: EventQueue) -> Told:
    told = Told()
    await bridge.run(told, stop=unstopped(), follow=False)
    return told


def left(redis: Redis) -> tuple[int, ...]:
    return tuple(int(str(redis.llen(name))) for name in (QUEUE, TAKEN, TOO_LARGE))


async def test_events_leave_redis_once_kafka_has_them_the_oldest_first(
    bridge: EventQueue, redis: Redis, there: Destination
) -> None:
    events = [event(f"queue-{number}", event_hash="f" * 64) for number in range(1_200)]
    redis.lpush(QUEUE, *events)
    assert (await run(bridge)).published == 1_200
    assert left(redis) == (0, 0, 0)
    assert [each.value for each in await there.came()] == events
    assert (await run(bridge)).published == 0


async def test_what_a_crash_left_in_hand_is_sent_first_and_never_left_out(
    bridge: EventQueue, redis: Redis, there: Destination
) -> None:
    names = [event(name, event_hash="e" * 64) for name in ("first", "second", "third")]
    redis.lpush(QUEUE, *names)
    for _ in range(2):  # as the bridge does before it sends
        redis.lmove(QUEUE, TAKEN, "RIGHT", "LEFT")
    assert (await run(bridge)).published == 3
    assert [each.value for each in await there.came()] == names
    assert left(redis) == (0, 0, 0)


async def test_while_kafka_refuses_events_stay_in_hand(
    bridge: EventQueue, redis: Redis, there: Destination
) -> None:
    redis.lpush(QUEUE, event("a"), event("b"))
    closed = ReportProducer(there.settings, topic_of(GROUP))
    away = EventQueue(bridge.address, Forwarder(closed, "intelmq"))
    with pytest.raises(ServiceDown):
        await run(away)
    assert left(redis) == (0, 2, 0)
    assert (await run(bridge)).published == 2
    assert await there.values() == sorted([event("a"), event("b")])


async def test_an_event_larger_than_a_record_is_put_aside_and_named(
    bridge: EventQueue, redis: Redis, there: Destination
) -> None:
    large = event("a", raw="x" * 6_000)
    redis.lpush(QUEUE, event("b"), large, event("c"))
    told = await run(bridge)
    assert told.published == 2
    assert [(e["reason"], e["place"]) for e in told.refused] == [
        ("too-large", f"now in the list {TOO_LARGE}")
    ]
    assert left(redis) == (0, 0, 1)
    assert redis.lrange(TOO_LARGE, 0, -1) == [large]
    assert await there.values() == sorted([event("b"), event("c")])


async def test_equal_events_are_all_sent_and_all_removed(
    bridge: EventQueue, redis: Redis, there: Destination
) -> None:
    redis.lpush(QUEUE, *[event("same")] * 3)
    assert (await run(bridge)).published == 3
    assert left(redis) == (0, 0, 0)
    assert await there.values() == [event("same")] * 3


async def test_following_waits_for_events_until_it_is_stopped(
    bridge: EventQueue, redis: Redis, there: Destination
) -> None:
    stop, came = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(bridge.run(lambda _: came.set(), stop=stop, follow=True))
    redis.lpush(QUEUE, event("later"))
    await asyncio.wait_for(came.wait(), 90)
    stop.set()
    await asyncio.wait_for(task, 90)
    assert await there.values() == [event("later")]


async def test_a_server_that_is_away_is_named_without_its_password(bridge: EventQueue) -> None:
    address = QueueAddress.parse("redis://user:secret-9@127.0.0.1:1/0?queue=x")
    with pytest.raises(ServiceDown, match=r"redis://127\.0\.0\.1:1/0") as down:
        await run(EventQueue(address, bridge.forwarder))
    assert "secret-9" not in str(down.value)


async def test_a_password_is_used_and_its_lack_is_said(bridge: EventQueue) -> None:
    with running_redis(password="secret-9") as locked:
        text = f"redis://127.0.0.1:{locked}/0?queue=x"
        with pytest.raises(Refused, match="refuses the login"):
            await run(EventQueue(QueueAddress.parse(text), bridge.forwarder))
        text = text.replace("//", "//:secret-9@")
        assert (await run(EventQueue(QueueAddress.parse(text), bridge.forwarder))).published == 0


async def test_a_queue_that_is_no_list_is_refused(bridge: EventQueue, redis: Redis) -> None:
    redis.set(QUEUE, "a word")
    with pytest.raises(Refused, match="no list of events"):
        await run(bridge)
