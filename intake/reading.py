"""Records are read in processes of their own.

Reading is what costs most and what hostile input aims at. In a process of its own it takes no time
from the loop that keeps us in Kafka's group, and a record that would take too long or too much
memory ends that process and not intake. Source: reliability 1.5b, 3; issue 5, 6.
"""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Self, TypeVar, cast

import structlog

from infra.intake_limits import IntakeSettings
from infra.services.child import dying_with_us
from intake.preparing import Ready
from intake.reader import decode_answer, encode_order, encode_rules, receive, send
from intake.records import RawRecord
from intake.sheaf import Sheaf, bound, joined, sheaf
from intake.standing import Standings
from protocol.errors import ServiceDown
from protocol.profile import Profile

log = structlog.get_logger()
T = TypeVar("T")

TOO_COSTLY = "too-costly"
PIPE_BYTES = 1_048_576
"""So much of an order or answer may be on its way while the other side does something else."""


class ReaderLost(Exception):
    """The process that was to read ended before it had answered."""


class Readers:
    """Reads records under one profile; use it as a context, where the event loop runs."""

    def __init__(self, profile: Profile, limits: IntakeSettings) -> None:
        self._limits = limits
        self._rules = encode_rules(profile, limits)
        self._free: asyncio.LifoQueue[_Reader | None] = asyncio.LifoQueue()
        """Processes that have nothing to do; None stands for one that is not started yet."""

    async def __aenter__(self) -> Self:
        for _ in range(self._limits.readers - 1):
            self._free.put_nowait(None)
        self._free.put_nowait(_started(self._rules))
        return self

    async def __aexit__(self, *_: object) -> None:
        while not self._free.empty():
            if reader := self._free.get_nowait():
                await asyncio.to_thread(reader.end)

    async def read(self, records: Sequence[RawRecord], standings: Standings) -> Sheaf:
        """What became of the records, in their order.

        Raises:
            ServiceDown: the process for it does not start.
        """
        try:
            return await self._ask(records, standings, self._limits.seconds_per_batch)
        except (ReaderLost, TimeoutError) as exc:
            log.warning("batch_too_costly", records=len(records), error=type(exc).__name__)
        return joined([await self._alone(record, standings) for record in records])

    async def _alone(self, record: RawRecord, standings: Standings) -> Sheaf:
        try:
            return await self._ask([record], standings, self._limits.seconds_per_record)
        except (ReaderLost, TimeoutError) as exc:
            log.error(  # noqa: TRY400  without what the record holds
                "record_too_costly",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                error=type(exc).__name__,
            )
            refused = Ready(
                record.sha256,
                "",
                [],
                TOO_COSTLY,
                "reading the record took more time or memory than one record may take; divide it"
                " into smaller ones and send them",
            )
            return bound([(record, refused)])

    async def _ask(
        self, records: Sequence[RawRecord], standings: Standings, seconds: float
    ) -> Sheaf:
        """What a process says of the records.

        Raises:
            ReaderLost, TimeoutError: it has ended over them.
            ServiceDown: none starts.
        """
        reader = await self._free.get() or _started(self._rules)
        try:
            await _in_thread(reader.greet, None)  # starting up is not the record's fault
            answer = await _in_thread(lambda: reader.ask(encode_order(records, standings)), seconds)
        except BaseException:
            reader.process.kill()
            reader.process.wait()
            self._free.put_nowait(None)
            raise
        self._free.put_nowait(reader)
        return sheaf(records, await asyncio.to_thread(decode_answer, answer))


@dataclass(slots=True)
class _Reader:
    """One process, which does one thing at a time."""

    process: subprocess.Popen[bytes]
    orders: IO[bytes]
    answers: IO[bytes]
    greeted: bool = False

    def greet(self) -> None:
        """Wait until it takes orders.

        Raises:
            ServiceDown: it does not.
        """
        if self.greeted:
            return
        try:
            receive(self.answers)
        except EOFError as exc:
            raise ServiceDown(
                "the process that reads records does not start: see what it says in the log above;"
                " LEERP_INTAKE__READER_MEMORY_BYTES may be too little for it"
            ) from exc
        self.greeted = True

    def ask(self, order: bytes) -> bytes:
        """Its answer to an order, however long that takes.

        Raises:
            ReaderLost: it has ended.
        """
        try:
            send(self.orders, order)
            return receive(self.answers)
        except (OSError, EOFError) as exc:
            raise ReaderLost from exc

    def end(self) -> None:
        """Let it end, and wait for that."""
        self.process.communicate()


async def _in_thread(work: Callable[[], T], seconds: float | None) -> T:
    """What ``work`` gives; its thread goes on where that takes longer.

    Raises:
        TimeoutError: it takes longer.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work))
    done, _ = await asyncio.wait({working}, timeout=seconds)
    if not done:
        working.add_done_callback(_forget)
        raise TimeoutError
    return working.result()


def _forget(working: asyncio.Future[T]) -> None:
    """Nobody asks any more what came of it."""
    if not working.cancelled():
        working.exception()


def _started(rules: bytes) -> _Reader:
    """A process that is getting ready; orders wait for it."""
    process = subprocess.Popen(  # noqa: S603  our own command, and no shell is wanted
        dying_with_us(sys.executable, "-m", "intake.reader"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    orders, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    for pipe in (orders, answers):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    reader = _Reader(process, orders, answers)
    send(orders, rules)
    return reader
