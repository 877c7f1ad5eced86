"""Publishing report files to Kafka, and finding out what became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from rich.progress import Progress
from sqlalchemy import func, select

from infra import kafka
from infra.bootstrap import App
from infra.tables import consumer_offset, indicator, quarantine, report
from intake.records import (
    ANONYMOUS,
    DETECTED_BY_HEADER,
    FORMAT_HEADER,
    Accepted,
    RawRecord,
    read_record,
)
from leerp.report_files import ReportFile
from protocol.errors import ServiceDown
from protocol.parties import DetectedBy, SourceGroup

WAIT_SECONDS = 60
LOOK_EVERY = 0.1


@dataclass(slots=True, kw_only=True)
class Sent:
    """One file on its way: where it lies in Kafka, and what it was known as before."""

    file: str
    partition: int
    offset: int
    ids: tuple[str, ...]
    before: dict[str, int]
    """Duplicates counted so far of the reports in it that were there already."""


@dataclass(slots=True, kw_only=True)
class Fate:
    """What became of one file; the JSON of design section 6."""

    file: str
    published: int
    stored: int = 0
    duplicates: int = 0
    quarantined: list[dict[str, str]] = field(default_factory=list)
    indicators: int = 0
    incidents: list[str] = field(default_factory=list)


class Reporting:
    """Publishes to one group's topic; ``headers`` say format and, for open sources, how found."""

    def __init__(
        self,
        app: App,
        group: SourceGroup,
        *,
        declared_format: str | None = None,
        detected_by: DetectedBy | None = None,
    ) -> None:
        self._app = app
        self._group = group
        self._topic = kafka.topic_of(group)
        self._headers = {
            name: value
            for name, value in ((FORMAT_HEADER, declared_format), (DETECTED_BY_HEADER, detected_by))
            if value
        }

    async def publish(self, files: Sequence[ReportFile], progress: Progress) -> list[Sent]:
        """Send every file; what Kafka has acknowledged is never lost.

        Raises:
            Refused: a file cannot be read, is an archive or larger than intake takes; nothing was
                sent then.
            ServiceDown: Kafka does not answer.
        """
        limit = self._app.settings.intake.max_record_bytes
        bodies = [(file.path, file.read(limit)) for file in files]
        self._app.settings.require("Kafka", self._app.settings.kafka.bootstrap)
        producer: AIOKafkaProducer = kafka.producer(self._app.settings.kafka)
        try:
            await producer.start()
        except KafkaError as exc:
            raise await kafka.failure(self._app.settings.kafka, exc) from exc
        try:
            task = progress.add_task("publishing", total=len(bodies))
            sent = []
            for path, body in bodies:
                sent.append(await self._send(producer, path, body))
                progress.advance(task)
            return sent  # noqa: TRY300 (the connection is still open here)
        except KafkaError as exc:
            raise ServiceDown(f"Kafka did not take the report ({type(exc).__name__})") from exc
        finally:
            await producer.stop()

    async def await_fates(self, sent: Sequence[Sent]) -> list[Fate]:
        """Wait until intake has settled what was sent, and say what became of each.

        Raises:
            ServiceDown: intake settles nothing; the reports are safe in Kafka.
        """
        ends = {s.partition: s.offset for s in sorted(sent, key=lambda each: each.offset)}
        deadline = time.monotonic() + WAIT_SECONDS
        while not await asyncio.to_thread(self._settled, ends):
            if time.monotonic() > deadline:
                raise ServiceDown(
                    "published, but intake has not taken it yet: is 'leerp intake' running? "
                    "Nothing is lost, it will be read when intake is back"
                )
            await asyncio.sleep(LOOK_EVERY)
        return [await asyncio.to_thread(self._fate, each) for each in sent]

    async def _send(self, producer: AIOKafkaProducer, path: Path, body: bytes) -> Sent:
        ids = await asyncio.to_thread(self._ids, body)
        before = await asyncio.to_thread(self._known, ids)
        metadata: Any = await producer.send_and_wait(
            self._topic,
            body,
            headers=[(name, value.encode()) for name, value in self._headers.items()],
        )
        return Sent(
            file=str(path),
            partition=metadata.partition,
            offset=metadata.offset,
            ids=ids,
            before=before,
        )

    def _ids(self, body: bytes) -> tuple[str, ...]:
        """Ids that intake will give the reports in this body; none when it will refuse it."""
        outcome = read_record(
            RawRecord(
                topic=self._topic,
                partition=0,
                offset=0,
                group=self._group,
                principal=ANONYMOUS,
                headers=self._headers,
                body=body,
                received_at=datetime.now(UTC),
            ),
            self._app.settings.intake,
        )
        return outcome.ids() if isinstance(outcome, Accepted) else ()

    def _known(self, ids: Sequence[str]) -> dict[str, int]:
        with self._app.database.read() as connection:
            rows = connection.execute(
                select(report.c.id, report.c.duplicates).where(report.c.id.in_(ids))
            )
            return {row.id: row.duplicates for row in rows}

    def _settled(self, ends: dict[int, int]) -> bool:
        with self._app.database.read() as connection:
            rows = connection.execute(
                select(consumer_offset).where(consumer_offset.c.topic == self._topic)
            )
            positions = {row.partition: row.next for row in rows}
        return all(positions.get(partition, 0) > offset for partition, offset in ends.items())

    def _fate(self, sent: Sent) -> Fate:
        with self._app.database.read() as connection:
            now = {
                row.id: row
                for row in connection.execute(
                    select(
                        report.c.id, report.c.seq, report.c.duplicates, report.c.incident_id
                    ).where(report.c.id.in_(sent.ids))
                )
            }
            refused = connection.execute(
                select(quarantine.c.reason, quarantine.c.message).where(
                    quarantine.c.topic == self._topic,
                    quarantine.c.partition == sent.partition,
                    quarantine.c.offset == sent.offset,
                )
            )
            count = connection.scalar(
                select(func.count())
                .select_from(indicator)
                .where(indicator.c.report_seq.in_([row.seq for row in now.values()]))
            )
        return Fate(
            file=sent.file,
            published=1,
            stored=len(now.keys() - sent.before.keys()),
            duplicates=sum(now[i].duplicates - n for i, n in sent.before.items() if i in now),
            quarantined=[dict(row) for row in refused.mappings()],
            indicators=count or 0,
            incidents=sorted({row.incident_id for row in now.values()}),
        )
