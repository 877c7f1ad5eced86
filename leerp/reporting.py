"""Publishing report files to Kafka one after the other, and waiting for what becomes of them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from infra.bootstrap import App
from infra.kafka import topic_of
from intake.producer import ReportProducer
from intake.receipts import Posted, Receipt
from intake.records import (
    DETECTED_BY_HEADER,
    FORMAT_HEADER,
    Accepted,
    RawRecord,
    read_record,
)
from leerp.fates import Fate, Sent, fate, known, settled
from leerp.report_files import ReportFile
from protocol.errors import Refused, ServiceDown
from protocol.parties import ANONYMOUS, DetectedBy, SourceGroup

WAIT_SECONDS = 60
"""How long intake may settle nothing more before nobody waits any longer."""
LOOK_EVERY = 0.1
ON_THEIR_WAY = 32
"""Files that Kafka may have to acknowledge at a time."""

Tell = Callable[[Fate], None]


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    file: str
    posted: Posted
    ids: tuple[str, ...]
    new: frozenset[str]

    def arrived(self, receipt: Receipt) -> Sent:
        return Sent(file=self.file, receipt=receipt, ids=self.ids, new=self.new)


@dataclass(slots=True)
class Reporting:
    """One delivery of files to a group's topic; ``sent`` holds what Kafka has acknowledged."""

    app: App
    group: SourceGroup
    declared_format: str | None = None
    detected_by: DetectedBy | None = None
    sent: list[Sent] = field(default_factory=list)
    _way: deque[_OnItsWay] = field(default_factory=deque)
    _seen: set[str] = field(default_factory=set)
    """Reports that an earlier file of this delivery held."""

    async def publish(self, files: Sequence[ReportFile], tell: Tell, *, look: bool) -> None:
        """Send every file in order; ``tell`` hears of each as Kafka has it, or as it is refused.

        Files are sent as they are: intake judges them, and its quarantine keeps what it refuses. One
        that cannot be read, is an archive or too large stops no other. When this is cancelled, what was
        on its way is waited for and told all the same.

        Args:
            files: what to send.
            tell: called once for each file, in order.
            look: read the reports first, so that ``await_fates`` can say what became of each.

        Raises:
            Refused: ``unknown-format``, ``not-allowed``, ``no-topic`` or ``bad-login``.
            ServiceDown: Kafka does not answer.
        """
        try:
            async with AsyncExitStack() as connected:
                producer: ReportProducer | None = None
                for file in files:
                    body = await self._read(file, tell)
                    if body is None:
                        continue
                    if producer is None:
                        producer = await connected.enter_async_context(self._producer())
                    await self._post(producer, file, body, look=look)
                    if len(self._way) >= ON_THEIR_WAY:
                        await self._arrive(tell)
                while self._way:
                    await self._arrive(tell)
        finally:  # leaving the producer has waited for what was on its way
            for each in self._way:
                if receipt := each.posted.acknowledged():
                    self._tell_sent(each.arrived(receipt), tell)

    async def await_fates(self, tell: Tell) -> None:
        """Tell what became of each file sent, in order, as intake settles them.

        Raises:
            ServiceDown: intake settles nothing; the reports are safe in Kafka.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        before: dict[int, int] = {}
        for sent in self.sent:
            place = sent.receipt
            while (now := await asyncio.to_thread(self._settled)).get(
                place.partition, 0
            ) <= place.offset:
                if now != before:
                    before, deadline = now, time.monotonic() + WAIT_SECONDS
                if time.monotonic() > deadline:
                    raise ServiceDown(
                        "published, but intake has not taken it yet: is 'leerp intake' running? "
                        "Nothing is lost, it will be read when intake is back"
                    )
                await asyncio.sleep(LOOK_EVERY)
            tell(await asyncio.to_thread(self._fate, sent))

    def _producer(self) -> ReportProducer:
        settings = self.app.settings
        settings.require("Kafka", settings.kafka.bootstrap)
        topic = topic_of(self.group)
        return ReportProducer(settings.kafka, topic, limits=settings.intake, check=False)

    async def _read(self, file: ReportFile, tell: Tell) -> bytes | None:
        """What is to be sent of the file; None when it was refused, which is told in its turn."""
        try:
            return file.read(self.app.settings.intake.max_record_bytes)
        except Refused as refused:
            while self._way:
                await self._arrive(tell)
            why = {"reason": refused.reason, "message": str(refused)}
            tell(Fate(file=str(file.path), published=0, refused=why))
            return None

    async def _post(
        self, producer: ReportProducer, file: ReportFile, body: bytes, *, look: bool
    ) -> None:
        ids = await asyncio.to_thread(self._ids, producer.topic, body) if look else ()
        new = await asyncio.to_thread(self._new, ids) if ids else frozenset[str]()
        self._seen |= new
        posted = await producer.post(
            body, format=self.declared_format, detected_by=self.detected_by
        )
        self._way.append(_OnItsWay(str(file.path), posted, ids, new))

    async def _arrive(self, tell: Tell) -> None:
        """Wait for the file that has been on its way for longest."""
        first = self._way[0]
        receipt = await first.posted.receipt()
        self._way.popleft()
        self._tell_sent(first.arrived(receipt), tell)

    def _tell_sent(self, sent: Sent, tell: Tell) -> None:
        self.sent.append(sent)
        tell(Fate(file=sent.file, published=1))

    def _ids(self, topic: str, body: bytes) -> tuple[str, ...]:
        """Ids that intake will give the reports in this body; none when it will refuse it."""
        named = {FORMAT_HEADER: self.declared_format, DETECTED_BY_HEADER: self.detected_by}
        record = RawRecord(
            topic=topic,
            partition=0,
            offset=0,
            group=self.group,
            principal=ANONYMOUS,
            headers={name: value for name, value in named.items() if value},
            body=body,
            received_at=datetime.now(UTC),
        )
        outcome = read_record(record, self.app.settings.intake)
        return outcome.ids() if isinstance(outcome, Accepted) else ()

    def _new(self, ids: tuple[str, ...]) -> frozenset[str]:
        with self.app.database.read() as connection:
            return frozenset(ids) - known(connection, ids) - self._seen

    def _settled(self) -> dict[int, int]:
        with self.app.database.read() as connection:
            return settled(connection, topic_of(self.group))

    def _fate(self, sent: Sent) -> Fate:
        with self.app.database.read() as connection:
            return fate(connection, sent)
