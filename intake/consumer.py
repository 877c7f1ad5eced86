"""Kafka intake: read, translate, settle in one transaction, then commit. Never the other way round.

The position that counts is in our database, written with the reports; Kafka's is for display.
Source: reliability 3, style 5.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from infra import kafka
from infra.bootstrap import App
from intake.fetching import Batch, Unreadable, fetch_one_by_one
from intake.offsets import positions
from intake.records import ANONYMOUS, Accepted, RawRecord, Rejected, read_record
from intake.store import Settled, Store, open_store
from protocol.errors import ServiceDown

log = structlog.get_logger()

POLL_MS = 200
PROCESS = "intake"
HEADER_LENGTH = 200
LOG_APPEND_TIME = 1
"""Kafka's number for times that the broker gives."""


class Intake(ConsumerRebalanceListener):
    """Owns the poll loop. An outage propagates with nothing committed; a bad record never stops it."""

    def __init__(self, app: App, consumer: AIOKafkaConsumer, store: Store) -> None:
        self._app = app
        self._consumer = consumer
        self._store = store
        self._settling = asyncio.Lock()
        self._placed: set[TopicPartition] = set()
        """Partitions that are read from where the database says; what comes off others is let go."""

    async def run(self, stop: asyncio.Event) -> None:
        """Settle batches until ``stop`` is set; the batch in hand is finished first."""
        self._consumer.subscribe(pattern=kafka.INTAKE_PATTERN, listener=self)
        limit = self._app.settings.intake.max_batch_records
        while not stop.is_set():
            await self._place(self._consumer.assignment() - self._placed)
            fetched = await self._fetch(limit)
            batch = {place: records for place, records in fetched.items() if place in self._placed}
            if batch:
                async with self._settling:
                    settled = await asyncio.to_thread(self._settle, batch)
                await self._commit(batch)
                log.info(
                    "batch_settled",
                    stored=len(settled.stored),
                    duplicates=settled.duplicates,
                    quarantined=settled.quarantined,
                )

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """aiokafka rebalances in the background: finish the batch in hand first."""
        self._placed.clear()
        async with self._settling:
            log.info("partitions_revoked", partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """The loop places them: aiokafka goes on even when a listener fails."""
        log.info("partitions_assigned", partitions=len(assigned))

    async def _place(self, partitions: set[TopicPartition]) -> None:
        """Go on where the database says, not where Kafka believes that we were.

        Raises:
            ServiceDown: Kafka holds less than was settled, so new records would pass for old ones.
        """
        if not partitions:
            return
        stored = await asyncio.to_thread(self._positions)
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

    async def _fetch(self, limit: int) -> Batch:
        try:
            fetched: Batch = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=limit)
        except UnicodeDecodeError:
            self._placed.clear()
            await self._place(self._consumer.assignment())
            return await fetch_one_by_one(
                self._consumer, frozenset(self._placed), limit=limit, wait_ms=POLL_MS
            )
        return fetched

    def _settle(self, batch: Batch) -> Settled:
        limits = self._app.settings.intake
        outcomes: list[Accepted | Rejected] = [
            _unreadable(record)
            if isinstance(record, Unreadable)
            else read_record(_raw(record), limits)
            for records in batch.values()
            for record in records
        ]
        return self._store.settle(outcomes, source=PROCESS)

    def _positions(self) -> dict[tuple[str, int], int]:
        with self._app.database.read() as connection:
            return positions(connection)

    async def _commit(self, batch: Batch) -> None:
        try:
            await self._consumer.commit(
                {partition: records[-1].offset + 1 for partition, records in batch.items()}
            )
        except (CommitFailedError, IllegalStateError):
            # Reassigned meanwhile. The database holds the position, so nothing is stored twice.
            log.warning("commit_lost_to_rebalance")


async def run_intake(app: App, stop: asyncio.Event) -> None:
    """Consume the shared topics and those of all sources until told to stop.

    Raises:
        ServiceDown: Kafka has no address, does not answer, or refuses our login.
    """
    settings = app.settings
    settings.require("Kafka", settings.kafka.bootstrap)
    store = open_store(app)
    consumer = kafka.consumer(settings.kafka, group_id=settings.kafka.group_id)
    try:
        await consumer.start()
    except KafkaError as exc:
        raise await kafka.failure(settings.kafka, exc) from exc
    try:
        await Intake(app, consumer, store).run(stop)
    finally:
        await consumer.stop()


def _raw(record: Any) -> RawRecord:
    return RawRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        group=kafka.group_of(record.topic),
        principal=kafka.source_of(record.topic) or ANONYMOUS,
        headers={
            _text(name): _text(value.decode("utf-8", "replace"))
            for name, value in record.headers
            if value is not None
        },
        body=record.value or b"",
        received_at=_received_at(record),
    )


def _unreadable(place: Unreadable) -> Rejected:
    return Rejected(
        record=RawRecord(
            topic=place.topic,
            partition=place.partition,
            offset=place.offset,
            group=kafka.group_of(place.topic),
            principal=kafka.source_of(place.topic) or ANONYMOUS,
            headers={},
            body=b"",
            received_at=datetime.now(UTC),
        ),
        reason="bad-header",
        message="the name of a header is not UTF-8, in this record or in one before it that its sender"
        " put into the same batch, so that it cannot be read; its body is in Kafka only",
    )


def _text(header: str) -> str:
    """Short, and without NUL, which PostgreSQL does not take."""
    return header[:HEADER_LENGTH].replace("\x00", "\ufffd")


def _received_at(record: Any) -> datetime:
    """When the broker took it; where the topic keeps the sender's time, which may be any, now."""
    if record.timestamp_type == LOG_APPEND_TIME:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return datetime.now(UTC)
