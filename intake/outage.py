"""A batch that the database cannot take now is kept and settled later, however long that takes.

A database locked by another writer, away, or without room is nobody's record's fault. The batch waits
in memory, nothing of it is committed to Kafka, the partitions are paused by the caller, and the state
is told within seconds. Source: reliability F-P10, F-P11.
"""

from __future__ import annotations

import asyncio
import errno
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from infra import audit
from infra.database import Database
from infra.intake_limits import IntakeSettings
from intake.status import Status
from intake.store import OUTAGES

log = structlog.get_logger()
T = TypeVar("T")

_OF_SQLSTATE = {
    "53100": "disk-full",
    "55P03": "database-locked",  # lock not available
    "57014": "database-locked",  # query cancelled
}
"""States by PostgreSQL's codes, for which its driver need not be there."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

ADVICE = {
    "disk-full": "the disk of the database has no room: free some, intake goes on by itself",
    "database-locked": "somebody else writes to the database: find who, intake goes on by itself",
    "database-down": "the database does not answer: bring it back, intake goes on by itself",
    "database-slow": "the database has not answered yet: see its load and locks, 'leerp doctor'",
}
"""What to do, by the state that is told."""


class DiskNearlyFull(OSError):
    """Less is free than the settings ask for; nothing was written."""

    def __init__(self, free: int) -> None:
        super().__init__(errno.ENOSPC, f"only {free} bytes are free on the database's disk")


def require_room(database: Database, least: int) -> None:
    """Make sure that ``least`` bytes are free where an SQLite database lies.

    Raises:
        DiskNearlyFull: they are not.
    """
    if database.is_sqlite:
        free = shutil.disk_usage(Path(str(database.engine.url.database)).parent).free
        if free < least:
            raise DiskNearlyFull(free)


def kind_of(exc: BaseException) -> str:
    """Which state an outage is, by the database's own code and never by its text alone."""
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    if isinstance(cause, OSError) and cause.errno in FULL:
        return "disk-full"
    if isinstance(cause, sqlite3.Error):
        primary = cause.sqlite_errorcode & 0xFF
        if primary == sqlite3.SQLITE_FULL:
            return "disk-full"
        if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return "database-locked"
    return _OF_SQLSTATE.get(str(getattr(cause, "sqlstate", "")), "database-down")


def pauses(rules: IntakeSettings) -> Iterator[float]:
    """Seconds before each next try, without end: doubling up to the longest, each with its jitter."""
    pause, most = rules.retry_pause.total_seconds(), rules.retry_pause_most.total_seconds()
    while True:
        yield random.uniform(pause / 2, pause)  # noqa: S311
        pause = min(2 * pause, most)


class Insistence:
    """Does blocking work against the database until it has succeeded."""

    def __init__(self, database: Database, rules: IntakeSettings, status: Status) -> None:
        self._database = database
        self._rules = rules
        self._status = status
        self._state = ""

    @property
    def interrupted(self) -> bool:
        """Whether some work is waiting for the database now; partitions are to be paused."""
        return bool(self._state)

    async def done(self, work: Callable[[], T], stop: asyncio.Event) -> T | None:
        """What ``work`` gives, tried until it does; None when told to stop in the middle of an outage.

        ``work`` runs in a thread, must be whole or nothing, and is repeated after any of ``OUTAGES``
        with a pause that doubles, with jitter. An outage leaves an audit row once it is over.
        """
        since = datetime.now(UTC)
        for pause in pauses(self._rules):
            try:
                result = await self._watched(work, since)
            except OUTAGES as exc:
                self._tell(kind_of(exc), since, error=type(exc).__name__)
            else:
                await self._clear(since, stop)
                return result
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            if stop.is_set():
                break
        log.warning("batch_given_up", since=since.isoformat())
        return None

    async def _watched(self, work: Callable[[], T], since: datetime) -> T:
        """Run ``work`` in a thread, and tell of it when it takes long."""
        task = asyncio.ensure_future(asyncio.to_thread(work))
        await asyncio.wait({task}, timeout=self._rules.outage_alarm.total_seconds())
        if not task.done() and not self.interrupted:
            self._tell("database-slow", since)
        return await task

    def _tell(self, state: str, since: datetime, **detail: str) -> None:
        if state != self._state:
            self._state = state
            self._status.tell(state, ADVICE[state], since)
            log.error("intake_interrupted", state=state, since=since.isoformat(), **detail)

    async def _clear(self, since: datetime, stop: asyncio.Event) -> None:
        if not self._state:
            return
        state, self._state = self._state, ""
        self._status.tell("ok", "", datetime.now(UTC))
        log.warning("intake_goes_on", was=state, since=since.isoformat())
        await self.done(lambda: self._record(state, since), stop)

    def _record(self, state: str, since: datetime) -> None:
        with self._database.write() as connection:
            audit.append(
                connection,
                "intake_interrupted",
                actor="intake",
                subject="intake",
                state=state,
                since=since.isoformat(),
            )
