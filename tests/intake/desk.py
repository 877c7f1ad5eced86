"""Intake run inside the test, on a real broker, with a database of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table, select

from infra import kafka
from infra.bootstrap import App
from infra.database import Database
from infra.tables import consumer_offset, quarantine, report
from intake.consumer import run_intake
from protocol.parties import SourceGroup
from protocol.report import ReportContent
from tests.intake.samples import body_of

T = TypeVar("T")
PATIENCE_SECONDS = 90
Place = tuple[str, int, int]
"""Topic, partition and offset."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A database, a consumer group, and the broker that the tests of a module share."""

    app: App

    @property
    def database(self) -> Database:
        return self.app.database

    async def publish(
        self,
        *bodies: bytes | ReportContent,
        group: SourceGroup = SourceGroup.CSIRT,
        partition: int = 0,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp_ms: int | None = None,
    ) -> list[Place]:
        """Publish as a partner does, and wait until the broker has each."""
        places = []
        async with kafka.producer(self.app.settings.kafka) as producer:
            for body in bodies:
                sent = await producer.send_and_wait(
                    kafka.topic_of(group),
                    body if isinstance(body, bytes) else body_of(body),
                    partition=partition,
                    headers=list(headers),
                    timestamp_ms=timestamp_ms,
                )
                places.append((sent.topic, sent.partition, sent.offset))
        return places

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[None]:
        """Intake runs while the block does, and has stopped in good order after it."""
        stop = asyncio.Event()
        task = asyncio.create_task(run_intake(self.app, stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, PATIENCE_SECONDS)

    def positions(self) -> dict[tuple[str, int], int]:
        return {(row["topic"], row["partition"]): row["next"] for row in self.rows(consumer_offset)}

    async def settled(self, places: Sequence[Place]) -> None:
        """Wait until intake has settled all that was published there."""

        def passed() -> bool:
            now = self.positions()
            return all(now.get((t, p), 0) > offset for t, p, offset in places)

        await until(passed)

    def rows(self, table: Table) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def stored(self, prefix: str = "") -> list[str]:
        """Source ids of the reports, in the order of their arrival."""
        return [
            row["source_id"] for row in self.rows(report) if row["source_id"].startswith(prefix)
        ]

    def quarantined(self, place: Place) -> list[dict[str, Any]]:
        return [
            row
            for row in self.rows(quarantine)
            if (row["topic"], row["partition"], row["offset"]) == place
        ]


def desk_at(app: App, name: str, folder: Path) -> Desk:
    """The same broker, with an empty database and a consumer group of that name."""
    database = Database(f"sqlite:///{folder / 'desk.db'}")
    database.migrate()
    ours = app.settings.kafka  # whose rights hold for groups whose name begins like this one
    group = ours.model_copy(update={"group_id": f"{ours.group_id}-{name}"})
    settings = app.settings.model_copy(update={"kafka": group})
    return Desk(replace(app, settings=settings, database=database))


async def until(condition: Callable[[], T]) -> T:
    """Wait for something that another task does; fail when it takes too long."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await asyncio.to_thread(condition)):
            await asyncio.sleep(0.02)
        return found
