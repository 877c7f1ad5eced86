"""What protects intake while it runs: brakes, the watchdog, and patience with the database.

One for each Kafka client; it knows where the client is and what of it may be read now.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from infra.bootstrap import App
from intake.brakes import Brakes, Quota
from intake.fetching import Batch
from intake.keeper import Keeper
from intake.outage import Insistence, require_room
from intake.sheaf import Read
from intake.status import Status
from intake.store import OUTAGES
from intake.watchdog import Watchdog

log = structlog.get_logger()
T = TypeVar("T")

MEET_SECONDS = 1.0
LOOKS = 4
"""How often the watchdog looks within its patience."""


class Guard:
    """Pauses partitions, keeps batches through outages, and notices a client that has stalled."""

    def __init__(self, app: App, consumer: AIOKafkaConsumer, status: Status, quota: Quota) -> None:
        self._rules = app.settings.intake
        self._database = app.database
        self._consumer = consumer
        self._status = status
        self._brakes = Brakes(self._rules, quota)
        self._keeper = Keeper(app.database, self._brakes)
        self._insistence = Insistence(app.database, self._rules, status)
        self._positions: dict[TopicPartition, int] = {}
        """The next offset to fetch of every partition that is read."""
        self._idle = False
        """Nothing is asked of the client, since what is in flight has to be settled first."""

    async def insist(self, work: Callable[[], T], stop: asyncio.Event) -> T | None:
        """What ``work`` gives, however long the database is away; None when told to stop meanwhile."""

        def with_room() -> T:
            require_room(self._database, self._rules.min_free_bytes)
            return work()

        return await self._insistence.done(with_room, stop)

    async def idle(self, wait: Awaitable[T]) -> T:
        """Wait for something of ours, during which the client is not to blame for reading nothing."""
        self._idle = True
        try:
            return await wait
        finally:
            self._idle = False

    async def begin(self, partitions: Collection[TopicPartition], stop: asyncio.Event) -> None:
        """Know what is held of partitions that are about to be read."""
        places = [_place(partition) for partition in partitions]
        self._keeper.forget(places)
        await self.insist(lambda: self._keeper.meet(self._places() + places, _now()), stop)

    def placed(self, partition: TopicPartition, position: int) -> None:
        """The partition is read from there on."""
        self._positions[partition] = position

    def lost(self) -> None:
        """Partitions went elsewhere; what was in flight of any is let go."""
        self._keeper.forget(self._places())
        self._positions.clear()

    def pause(self) -> None:
        """Let the client fetch what may be read now, and nothing else."""
        now = _now()
        assigned = self._consumer.assignment()
        closed = {
            partition
            for partition in assigned
            if self._insistence.interrupted or self._brakes.closed(*_place(partition), now)
        }
        paused = self._consumer.paused()
        self._consumer.pause(*(closed - paused))
        self._consumer.resume(*(paused & assigned - closed))

    def take(self, fetched: Batch) -> Batch:
        """What of the fetched records may be settled; the client goes back to the others later."""
        now = _now()
        taken: Batch = {}
        for partition, records in fetched.items():
            granted = self._brakes.grant(*_place(partition), len(records), now)
            if granted < len(records):
                self._consumer.seek(partition, records[granted].offset)
            if granted:
                taken[partition] = records[:granted]
                self._positions[partition] = records[granted - 1].offset + 1
        return taken

    def note(self, reads: Sequence[Read]) -> None:
        """Count what was settled, and what of it was refused, by partition."""
        now = _now()
        read = Counter((record.topic, record.partition) for record, _ in reads)
        refused = Counter(
            (record.topic, record.partition) for record, ready in reads if ready.reason
        )
        for (topic, partition), count in read.items():
            self._brakes.note(
                topic, partition, read=count, refused=refused[topic, partition], now=now
            )

    async def watch(self, stop: asyncio.Event) -> None:
        """Keep holds in step with the database and look after the client, until told to stop.

        Raises:
            Stalled: the client is to be built anew.
        """
        clock = asyncio.get_running_loop().time
        patience = self._rules.stall_patience.total_seconds()
        dog, looked = Watchdog(patience, started=clock()), clock()
        while not stop.is_set():
            await self._meet()
            if clock() - looked >= patience / LOOKS:
                await self._look(dog, patience)
                looked = clock()
            try:
                await asyncio.wait_for(stop.wait(), min(MEET_SECONDS, patience / LOOKS))
            except TimeoutError:
                continue

    async def _meet(self) -> None:
        if self._insistence.interrupted:
            return
        try:
            await asyncio.to_thread(self._keeper.meet, self._places(), _now())
        except OUTAGES as exc:  # the writer tells of it; holds are kept in memory until then
            log.warning("holds_wait", error=type(exc).__name__)

    async def _look(self, dog: Watchdog, patience: float) -> None:
        clock = asyncio.get_running_loop().time
        assigned = self._consumer.assignment()
        try:
            async with asyncio.timeout(patience):
                ends = await self._consumer.end_offsets(assigned or self._any_partition())
        except (KafkaError, TimeoutError) as exc:
            dog.outage(clock())
            if self._status.tell("kafka-down", "Kafka does not answer: bring it back", _now()):
                log.error("kafka_away", error=type(exc).__name__)  # noqa: TRY400  without its text
            return
        if self._insistence.interrupted or self._idle:
            dog.outage(clock())
            return
        self._status.tell("ok", "", _now())
        open_now = assigned - self._consumer.paused()
        dog.look(
            clock(),
            positions={_place(p): at for p, at in self._positions.items() if p in open_now},
            ends={_place(p): end for p, end in ends.items()},
            reading=bool(assigned),
        )

    def _any_partition(self) -> set[TopicPartition]:
        """One to ask the broker about, where none is ours."""
        topic = min(self._consumer.subscription())
        return {TopicPartition(topic, 0)}

    def _places(self) -> list[tuple[str, int]]:
        return [_place(partition) for partition in self._positions]


def _place(partition: TopicPartition) -> tuple[str, int]:
    return partition.topic, partition.partition


def _now() -> datetime:
    return datetime.now(UTC)
