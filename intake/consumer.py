"""Kafka intake: read, translate, settle in one transaction, then commit. Never the other way round.

Three things go on at once: records are fetched, those fetched before are read (``Readers``), and one
writer settles what has been read, in the order of fetching. What is in flight is bounded; when the
writer falls behind, Kafka waits. The position that counts is in our database, written with the
reports; Kafka's is for display. Source: reliability 3, style 5.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from infra import kafka
from infra.bootstrap import App
from intake.arrivals import arrived, unreadable
from intake.brakes import Quota
from intake.clients import NOT_ALLOWED, first_client, let_go, next_client
from intake.fetching import Batch, Unreadable, fetch_one_by_one
from intake.flow import Flow, Work
from intake.guard import Guard
from intake.offsets import positions
from intake.reading import Readers
from intake.records import RawRecord
from intake.sheaf import Sheaf, joined
from intake.standing import Standings
from intake.status import status_file
from intake.store import Store, open_store
from intake.watchdog import Stalled
from protocol.errors import ServiceDown
from protocol.parties import ANONYMOUS

log = structlog.get_logger()

POLL_MS = 200
POLL_SECONDS = POLL_MS / 1000
COMMIT_SECONDS = 1.0
"""Kafka is told where we are this often at most."""
PATIENCE_SECONDS = 60.0
"""Kafka puts a member out of the group that does not ask for records for five minutes."""
RECORD_BYTES = 200
"""What a record weighs beside its body."""
PROCESS = "intake"


class Intake(ConsumerRebalanceListener):
    """Owns the way from Kafka to the database. An outage of either is waited for."""

    def __init__(
        self,
        app: App,
        consumer: AIOKafkaConsumer,
        store: Store,
        readers: Readers,
        guard: Guard,
    ) -> None:
        self._app = app
        self._limits = app.settings.intake
        self._consumer = consumer
        self._store = store
        self._readers = readers
        self._guard = guard
        self._flow = Flow(self._limits.max_bytes_in_flight)
        self._readings: set[asyncio.Task[Sheaf]] = set()
        self._settling = asyncio.Lock()
        self._generation = 0
        self._placed: set[TopicPartition] = set()
        """Partitions that are read from where the database says; what comes off others is let go."""
        self._uncommitted: dict[TopicPartition, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Settle batches until ``stop`` is set; what is in flight is finished first.

        Raises:
            Stalled, KafkaError: go on with another client.
            ServiceDown: Kafka has lost data.
        """
        self._consumer.subscribe(pattern=kafka.INTAKE_PATTERN, listener=self)
        fetching = asyncio.create_task(self._keep_fetching(stop))
        settling = asyncio.create_task(self._keep_settling(fetching, stop))
        tasks = (settling, fetching, asyncio.create_task(self._guard.watch(stop)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            failed = [task for task in tasks if task.done() and task.exception()]
            unfinished = (*tasks, *self._readings)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        for task in failed:
            task.result()

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """aiokafka rebalances in the background: finish the transaction in hand first.

        What else is in flight is let go; whoever gets the partitions finds where to go on.
        """
        self._let_go()
        async with self._settling:
            log.info("partitions_revoked", partitions=len(revoked))

    def _let_go(self) -> None:
        """Forget what is in flight; the database says where to go on."""
        self._generation += 1
        self._placed.clear()
        self._guard.lost()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """The loop places them: aiokafka goes on even when a listener fails.

        Until then nothing is fetched, since it would be from where Kafka believes that we were.
        """
        self._consumer.pause(*assigned)
        log.info("partitions_assigned", partitions=len(assigned))

    async def _keep_fetching(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._place(self._consumer.assignment() - self._placed, stop)
            if not await self._guard.idle(self._flow.room(PATIENCE_SECONDS)):
                await self._show_presence()
                continue
            self._guard.pause()
            fetched = await self._fetch(self._limits.max_fetch_records, stop)
            placed = {place: each for place, each in fetched.items() if place in self._placed}
            if batch := self._guard.take(placed):
                await self._flow.put(self._work(batch))

    def _work(self, batch: Batch) -> Work:
        records = tuple(arrived(record) for each in batch.values() for record in each)
        gaps = [isinstance(record, Unreadable) for each in batch.values() for record in each]
        reading = asyncio.create_task(self._read(records, gaps))
        self._readings.add(reading)
        reading.add_done_callback(self._readings.discard)
        return Work(
            generation=self._generation,
            count=len(records),
            reading=reading,
            ends={place: each[-1].offset + 1 for place, each in batch.items()},
            size=sum(len(record.body) + RECORD_BYTES for record in records),
        )

    async def _read(self, records: Sequence[RawRecord], gaps: Sequence[bool]) -> Sheaf:
        """Read the records, apart from the gaps that aiokafka could not decode."""
        senders = {record.principal for record in records} - {ANONYMOUS}
        standings = Standings()
        if senders:
            standings = (await asyncio.to_thread(self._store.standings)).among(senders)
        if not any(gaps):
            return await self._readers.read(records, standings)
        decoded = [record for record, gap in zip(records, gaps, strict=True) if not gap]
        read = await self._readers.read(decoded, standings)
        reads, pairs = iter(read.reads), zip(records, gaps, strict=True)
        whole = [(record, unreadable(record)) if gap else next(reads) for record, gap in pairs]
        return replace(read, reads=whole)

    async def _keep_settling(self, fetching: asyncio.Task[None], stop: asyncio.Event) -> None:
        committed_at = 0.0
        now = asyncio.get_running_loop().time
        while not (fetching.done() and self._flow.bytes_in_flight == 0):
            works = await self._flow.take(POLL_SECONDS, self._limits.max_batch_records)
            if works:
                await self._settle(works, stop)
                await self._flow.done(works)
            if now() - committed_at >= COMMIT_SECONDS:
                await self._commit()
                committed_at = now()
        await self._commit()

    async def _settle(self, works: Sequence[Work], stop: asyncio.Event) -> None:
        async with self._settling:
            current = [work for work in works if work.generation == self._generation]
            if not current:
                return
            read = joined([work.reading.result() for work in current])
            settled = await self._guard.insist(
                lambda: self._store.settle_sheaf(read, source=PROCESS), stop
            )
            if settled is None:  # told to stop in an outage: nor may what follows be settled
                self._let_go()
                return
            self._guard.note(read.reads)
            for work in current:
                self._uncommitted |= work.ends
        log.info(
            "batch_settled",
            stored=len(settled.stored),
            duplicates=settled.duplicates,
            quarantined=settled.quarantined,
        )

    async def _place(self, partitions: set[TopicPartition], stop: asyncio.Event) -> None:
        """Go on where the database says, not where Kafka believes that we were.

        Raises:
            ServiceDown: Kafka holds less than was settled, so new records would pass for old ones.
        """
        if not partitions:
            return
        await self._guard.begin(partitions, stop)
        stored = await self._guard.insist(self._positions, stop)
        if stored is None:
            return
        try:
            ends = await self._consumer.end_offsets(partitions)
        except KafkaError as exc:  # the next round asks again
            log.warning("ends_unknown", error=type(exc).__name__)
            return
        for partition in partitions & self._consumer.assignment():
            position = stored.get((partition.topic, partition.partition), 0)
            if position > ends[partition]:
                raise ServiceDown(
                    f"{partition.topic}/{partition.partition} ends at {ends[partition]} in Kafka, but"
                    f" {position} of it are stored: Kafka has lost data, or the topic was made anew."
                    " Put Kafka's data back, or begin a new home"
                )
            self._consumer.seek(partition, position)
            self._placed.add(partition)
            self._guard.placed(partition, position)

    async def _fetch(self, limit: int, stop: asyncio.Event) -> Batch:
        try:
            fetched: Batch = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=limit)
        except UnicodeDecodeError:
            await self._guard.idle(self._flow.empty())  # so that the database says where to go on
            self._placed.clear()
            await self._place(self._consumer.assignment(), stop)
            return await fetch_one_by_one(
                self._consumer, frozenset(self._placed), limit=limit, wait_ms=POLL_MS
            )
        return fetched

    async def _show_presence(self) -> None:
        """Ask for records of nothing, so that Kafka keeps us in the group while we wait."""
        assigned = self._consumer.assignment()
        self._consumer.pause(*assigned)
        await self._consumer.getmany(timeout_ms=0)
        self._consumer.resume(*(assigned & self._consumer.assignment()))
        log.warning("writer_behind", bytes_in_flight=self._flow.bytes_in_flight)

    def _positions(self) -> dict[tuple[str, int], int]:
        with self._app.database.read() as connection:
            return positions(connection)

    async def _commit(self) -> None:
        if not self._uncommitted:
            return
        ends, self._uncommitted = self._uncommitted, {}
        try:
            await self._consumer.commit(ends)
        except (CommitFailedError, IllegalStateError):
            # Reassigned meanwhile. The database holds the position, so nothing is stored twice.
            log.warning("commit_lost_to_rebalance")


async def run_intake(app: App, stop: asyncio.Event, quota: Quota | None = None) -> None:
    """Consume the shared topics and those of all sources until told to stop.

    ``quota`` says what a topic may bring in an hour; the registry of sources where it is not given.

    Raises:
        ServiceDown: Kafka has no address, does not answer at the start or refuses our login, or
            has lost data.
    """
    settings = app.settings
    settings.require("Kafka", settings.kafka.bootstrap)
    store = open_store(app)
    consumer: AIOKafkaConsumer | None = await first_client(settings.kafka)
    with status_file(settings.home) as status:
        async with Readers(settings.profile(), settings.intake) as readers:
            while consumer is not None:
                guard = Guard(app, consumer, status, quota or store.quota)
                intake = Intake(app, consumer, store, readers, guard)
                if await _is_over(intake, app, consumer, stop):
                    return
                consumer = await next_client(settings.kafka, stop)


async def _is_over(
    intake: Intake, app: App, consumer: AIOKafkaConsumer, stop: asyncio.Event
) -> bool:
    """Run until told to stop; False if another client is to go on."""
    try:
        await intake.run(stop)
    except NOT_ALLOWED as exc:
        raise await kafka.failure(app.settings.kafka, exc) from exc
    except (Stalled, KafkaError) as exc:
        log.error("client_renewed", error=type(exc).__name__)  # noqa: TRY400  not its text
        return False
    finally:
        await let_go(consumer)
    return True
