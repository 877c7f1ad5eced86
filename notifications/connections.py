"""The connections to the mail relay: one process has so many, whatever it sends at a time.

What a crash can double is what is under way on them, so their number is the bound (reliability 2.2,
F-P1). They stay open from mail to mail, and from range to range while anybody sends.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import SystemRandom

import structlog

from infra.settings import SmtpSettings
from notifications.submission import Submission
from protocol.errors import ServiceDown

log = structlog.get_logger()

LONGEST_BACKOFF_S = 30.0
JITTER = SystemRandom()
NARROW_S = 30.0
"""How long we make do with the connections that we have when the relay gives no more."""


class Connections:
    """At most ``settings.connections`` submissions, lent one at a time to whoever sends a mail."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._reconnect_s = settings.reconnect.total_seconds()
        self._all = [Submission(settings) for _ in range(settings.connections)]
        self._free = list(self._all)
        self._freed = asyncio.Event()
        self._connecting = asyncio.Lock()
        self._opened: set[Submission] = set()
        self._last_connect = -math.inf
        self._failures = 0
        self._narrow_until = 0.0
        self._senders = 0

    def __len__(self) -> int:
        return len(self._all)

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """Connections stay open until the last sender is through with this."""
        self._senders += 1
        try:
            yield
        finally:
            self._senders -= 1
            if not self._senders:
                await self._close()

    async def take(self) -> Submission:
        """An open connection, for one mail; waits while all of them are in use.

        Whoever takes one gives it back.

        Raises:
            ServiceDown: none can be opened, and none is open.
        """
        while True:
            while not self._some_are_of_use():
                self._freed.clear()
                await self._freed.wait()
            submission = max(self._free, key=lambda free: free.is_open)
            self._free.remove(submission)
            opened = False
            try:
                opened = submission.is_open or await self._open(submission)
            finally:
                if not opened:
                    self.give_back(submission)
            if opened:
                return submission

    def give_back(self, submission: Submission) -> None:
        """For others to take, open or not."""
        if not self._senders:  # one that was told to stop was the last
            submission.drop()
        self._free.append(submission)
        self._freed.set()

    def _some_are_of_use(self) -> bool:
        """Whether one that is not in use is open, or may be opened now."""
        if any(submission.is_open for submission in self._free):
            return True
        return bool(self._free) and not self._narrow

    @property
    def _narrow(self) -> bool:
        return self._clock() < self._narrow_until and self._any_open()

    async def _open(self, submission: Submission) -> bool:
        """Open a connection, one at a time. When it cannot be had but others are open, say so.

        Raises:
            ServiceDown: it cannot be had, and no other is open.
        """
        async with self._connecting:
            if self._narrow:
                return False
            if submission in self._opened or self._failures:
                await asyncio.sleep(max(0.0, self._last_connect + self._pause - self._clock()))
            self._opened.add(submission)
            self._last_connect = self._clock()
            self._failures += 1
            try:
                await submission.open()
            except ServiceDown as error:
                if not self._any_open():
                    raise
                log.warning("fewer_smtp_connections", reason=str(error))
                self._narrow_until = self._clock() + NARROW_S
                return False
            self._failures = 0
            return True

    @property
    def _pause(self) -> float:
        """At least so long between two attempts: doubling while the relay is away."""
        longest = max(self._reconnect_s, LONGEST_BACKOFF_S)
        doubled = min(self._reconnect_s * 2.0 ** min(max(0, self._failures - 1), 20), longest)
        return doubled * JITTER.uniform(1.0, 1.2)

    def _any_open(self) -> bool:
        return any(submission.is_open for submission in self._all)

    async def _close(self) -> None:
        idle, self._free = self._free, []
        self._opened.clear()
        try:
            for submission in idle:
                await submission.close()
        finally:
            for submission in idle:
                self.give_back(submission)

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()
