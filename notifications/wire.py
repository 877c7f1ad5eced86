"""SMTP's replies, line by line, on a connection that was opened and secured elsewhere.

Several commands can be under way at once (RFC 2920), which the mail library's protocol cannot: it
forgets replies that come with another one. Whatever is longer, later or other than a reply must be ends
the connection. Source: reliability 1.5c, F-M8.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

MAX_LINE = 2_048
"""Four times what RFC 5321 allows for a reply."""
MAX_REPLY = 32_768


class Lost(Exception):
    """The connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply; the lines of a long one are joined with line ends."""

    code: int
    text: str

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300


class Wire(asyncio.Protocol):
    """Takes over ``transport``; nothing may be under way on it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._size = 0
        self._replies: deque[Reply] = deque()
        self._expected = 0
        self._waiter: asyncio.Future[None] | None = None
        self._lost = ""
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return not self._lost and not self._transport.is_closing()

    def send(self, data: bytes, *, replies: int) -> None:
        """Write ``data``, which that many replies answer.

        Raises:
            Lost: there is no connection.
        """
        if not self.is_open:
            raise Lost(self._lost or "closed")
        self._expected += replies
        self._transport.write(data)

    async def reply(self, within: timedelta) -> Reply:
        """The next reply, whole; however slowly it comes, it has that much time.

        Raises:
            Lost: it does not come, or what comes is none. The connection is broken by then.
        """
        if not self._replies:
            if self._lost:
                raise Lost(self._lost)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(within.total_seconds()):
                    await self._waiter
            except TimeoutError:
                self._break("no reply in time")
            finally:
                self._waiter = None
        if not self._replies:
            raise Lost(self._lost)
        return self._replies.popleft()

    def close(self) -> None:
        """Break the connection at once."""
        self._break("closed")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            if not self._take(line):
                return
        if len(self._buffer) > MAX_LINE:
            self._break("a reply of too long a line")

    def eof_received(self) -> bool:
        self._break("the relay closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(f"connection lost ({type(exc).__name__})" if exc else "connection lost")

    def _take(self, line: bytes) -> bool:
        """Whether there may be more after this line."""
        self._size += len(line)
        code, mark = line[:3], line[3:4]
        if len(line) > MAX_LINE or self._size > MAX_REPLY:
            self._break("too long a reply")
        elif not code.isdigit() or mark not in {b" ", b"-", b"\r", b"\n"}:
            self._break("something that is no reply")
        elif not self._expected:
            self._break("a reply to nothing")
        else:
            self._lines.append(line[4:].strip())
            if mark != b"-":
                self._whole(int(code))
        return not self._lost

    def _whole(self, code: int) -> None:
        text = b"\n".join(self._lines).decode("utf-8", "replace")
        self._lines, self._size = [], 0
        self._expected -= 1
        self._replies.append(Reply(code, text))
        self._wake()

    def _break(self, why: str) -> None:
        if not self._lost:
            self._lost = why
            self._transport.abort()
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
