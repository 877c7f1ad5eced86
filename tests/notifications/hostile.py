"""Mail relays for tests, on loopback: an honest one that records, and hostile ones by script."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

RCPT_OK = "250 ok"


@dataclass
class Sink:
    """Keeps what it takes. ``rcpt`` answers for an address and how often it was asked before."""

    rcpt: Callable[[str, int], str] = lambda _address, _before: RCPT_OK
    data: Callable[[str, int], str] = lambda _address, _before: "250 ok queued as 1"
    drop_after_dot: Callable[[str, int], bool] = lambda _address, _before: False
    drop_at_data: Callable[[str, int], bool] = lambda _address, _before: False
    limit: int = 1_000
    """How many connections may be open at the same time."""
    open: int = 0
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    patience: int = 0
    """After this many mails ``reached`` is set, and the relay's answers wait for ``answer``."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event | None = None

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, *rest: Any
    ) -> Any:
        self.sessions += 1
        session.host_name = hostname
        return rest[0] if rest else "250 HELP"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        answer = self.rcpt(address, self.asked[address])
        self.asked[address] += 1
        if answer == RCPT_OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        address, before = envelope.rcpt_tos[0], self.asked[envelope.rcpt_tos[0]] - 1
        answer = self.data(address, before)
        if answer.startswith("250"):
            self.mails.append((address, bytes(envelope.original_content or b"")))
        if len(self.mails) >= self.patience:
            self.reached.set()
            if self.answer is not None:
                await self.answer.wait()
        if self.drop_after_dot(address, before):
            _break(server)
        return answer

    def count(self) -> Counter[str]:
        return Counter(address for address, _ in self.mails)


def _break(server: SMTP) -> None:
    transport: Any = server.transport
    transport.abort()


class _Busy(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        transport.write(b"421 too many connections\r\n")
        transport.close()


class _Dropping(SMTP):
    def connection_made(self, transport: Any) -> None:
        self.event_handler.open += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.open -= 1
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        sink: Sink = self.event_handler
        assert self.envelope is not None
        address = self.envelope.rcpt_tos[0]
        if sink.drop_at_data(address, sink.asked[address] - 1):
            _break(self)
            return
        await super().smtp_DATA(arg)


@asynccontextmanager
async def listening(sink: Sink, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port on which ``sink`` takes mail while the block runs."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: (
            _Dropping(sink, hostname="sink.invalid", tls_context=tls, loop=loop)
            if sink.open < sink.limit
            else _Busy()
        ),
        host="127.0.0.1",
        port=0,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
