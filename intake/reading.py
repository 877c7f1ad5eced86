"""Where records are read: a few here, a storm in processes of their own.

Reading is what costs most and what hostile input aims at. In a process of its own it takes no time
from the loop that keeps us in Kafka's group, and a record that would take too long or too much
memory ends that process and not intake. Source: reliability 1.5b, 3; issue 5, 6.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import resource
import signal
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

import msgspec
import structlog
from pebble import ProcessExpired, ProcessPool

from infra.settings import IntakeSettings
from intake.preparing import Preparer, Ready
from intake.records import RawRecord
from intake.standings import Standings
from intake.warning_lists import WarningLists, telling_by
from protocol.profile import Profile

log = structlog.get_logger()

FEW = 64
"""So many records are read in the process itself: handing them over would take longer."""
TOO_COSTLY = "too-costly"

_encoder = msgspec.msgpack.Encoder()
_order = msgspec.msgpack.Decoder(tuple[list[RawRecord], Standings])
_ready = msgspec.msgpack.Decoder(list[Ready])


class Readers:
    """Reads records under one profile; use it as a context."""

    def __init__(self, preparer: Preparer, profile: Profile, limits: IntakeSettings) -> None:
        self._preparer = preparer
        self._profile = profile
        self._limits = limits
        self._pool: ProcessPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()

    async def read(self, records: Sequence[RawRecord], standings: Standings) -> list[Ready]:
        """What became of each record, in their order."""
        if len(records) <= FEW:
            return await asyncio.to_thread(_read_all, self._preparer, records, standings)
        try:
            return await self._elsewhere(records, standings, self._limits.seconds_per_batch)
        except (ProcessExpired, TimeoutError) as exc:
            log.warning("batch_too_costly", records=len(records), error=type(exc).__name__)
        return [await self._alone(record, standings) for record in records]

    async def _alone(self, record: RawRecord, standings: Standings) -> Ready:
        try:
            (ready,) = await self._elsewhere([record], standings, self._limits.seconds_per_record)
        except (ProcessExpired, TimeoutError) as exc:
            log.error(  # noqa: TRY400  without what the record holds
                "record_too_costly",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                error=type(exc).__name__,
            )
            return Ready(
                record.sha256,
                "",
                [],
                TOO_COSTLY,
                "reading the record took more time or memory than one record may take; divide it"
                " into smaller ones and send them",
            )
        return ready

    async def _elsewhere(
        self, records: Sequence[RawRecord], standings: Standings, seconds: float
    ) -> list[Ready]:
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self._limits.readers,
                initializer=_begin,
                initargs=(self._profile, self._limits),
                context=multiprocessing.get_context("spawn"),  # we have threads: forks would not do
            )
        future: Future[Any] = self._pool.submit(
            _read, seconds, _encoder.encode((records, standings))
        )
        read = await asyncio.wrap_future(future)
        return await asyncio.to_thread(_ready.decode, read)


_here: list[Preparer] = []
"""In a process of the pool: what it reads with."""


def _begin(profile: Profile, limits: IntakeSettings) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started us
    resource.setrlimit(resource.RLIMIT_AS, (limits.reader_memory_bytes,) * 2)
    _here[:] = [Preparer(profile, telling_by(WarningLists()), limits)]
    gc.freeze()


def _read(order: bytes) -> bytes:
    (preparer,) = _here
    return _encoder.encode(_read_all(preparer, *_order.decode(order)))


def _read_all(
    preparer: Preparer, records: Sequence[RawRecord], standings: Standings
) -> list[Ready]:
    return [preparer.read(r, standings.of(r.principal, r.group)) for r in records]
