"""A mail relay on loopback that says what the test tells it to say."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes

from aiosmtpd.smtp import SMTP, Envelope, Session

TAKEN = "250 2.0.0 taken"
LATER = "451 4.7.1 try again later"
NEVER = "550 5.1.1 no such mailbox"


class Sink:
    """Takes mails, unless it was told other answers for an address. Remembers what it took."""

    def __init__(self) -> None:
        self.port = 0
        self.silent: set[str] = set()
        """Addresses whose mails get no answer, until ``let_go``."""
        self._talking = asyncio.Event()
        self.put_off: set[str] = set()
        """Addresses to which mail is to come again later, for as long as they are in here."""
        self.refused: set[str] = set()
        """Addresses to which no mail may come."""
        self.taken: list[tuple[str, str, str]] = []
        """Address, subject and Message-ID, in order."""
        self.tries: dict[str, int] = defaultdict(int)

    async def handle_DATA(  # noqa: N802 (aiosmtpd calls it by this name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        (to,) = envelope.rcpt_tos
        if to in self.silent:
            await self._talking.wait()
        self.tries[to] += 1
        if to in self.put_off:
            return LATER
        if to in self.refused:
            return NEVER
        mail = message_from_bytes(envelope.original_content or b"")
        self.taken.append((to, mail["Subject"], mail["Message-ID"]))
        return TAKEN

    def let_go(self) -> None:
        """Answer whatever waits, and everything that comes."""
        self.silent.clear()
        self._talking.set()


@asynccontextmanager
async def listening() -> AsyncIterator[Sink]:
    """A sink on a free port of loopback."""
    sink = Sink()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(sink, hostname="localhost"), "127.0.0.1", 0
    )
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
