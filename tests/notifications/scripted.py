"""A mail relay by script, line by line: for what a well-behaved library would never say."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

GO_ON = b"354 go on\r\n"
OK = b"250 ok\r\n"
HANG_UP = b""
Answer = bytes | None
"""What is sent instead of the usual; empty to hang up; None for the usual."""


@dataclass
class Relay:
    """Takes mail as any relay does, but for what the script answers first.

    ``script`` gets the command's first word in capitals (CONNECT for the greeting, BODY for the final
    dot), the whole line, and how often that word came before on all connections.
    """

    offers: tuple[str, ...] = ("PIPELINING",)
    tls: ssl.SSLContext | None = None
    offers_in_tls: tuple[str, ...] = ()
    script: Callable[[str, str, int], Answer] = lambda _verb, _line, _before: None
    after_starttls: bytes = b""
    """Sent in clear in one write with the 220."""
    drip_s: float = 0.0
    """Pause between the bytes of scripted answers."""
    held: asyncio.Event | None = None
    """Until it is set, the answer to a body is kept back."""
    commands: list[str] = field(default_factory=list)
    mails: list[tuple[str, str, bytes]] = field(default_factory=list)
    """MAIL line, RCPT line, body as it came."""
    connects: list[float] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    reads: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects.append(asyncio.get_running_loop().time())
        session = _Session(self, reader, writer)
        try:
            await session.run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, ValueError):
            return  # the other side has had enough
        finally:
            writer.close()


@dataclass
class _Session:
    relay: Relay
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    secure: bool = False
    sender: str = ""
    to: str = ""

    async def run(self) -> None:
        if not await self._say("CONNECT", "", b"220 scripted ESMTP\r\n"):
            return
        while line := (await self.reader.readline()).decode("latin-1").strip():
            self.relay.commands.append(line)
            if not await self._command(line):
                return

    async def _command(self, line: str) -> bool:
        verb = line.split(maxsplit=1)[0].upper()
        match verb:
            case "EHLO":
                inside = self.relay.offers_in_tls if self.secure else ()
                starttls = ("STARTTLS",) if self.relay.tls and not self.secure else ()
                names = ["scripted", *self.relay.offers, *starttls, *inside]
                lines = [f"250-{name}" for name in names[:-1]] + [f"250 {names[-1]}"]
                return await self._say(verb, line, "\r\n".join([*lines, ""]).encode())
            case "STARTTLS":
                return await self._start_tls(line)
            case "MAIL":
                self.sender = line
                return await self._say(verb, line, OK)
            case "RCPT":
                self.to = line
                return await self._say(verb, line, OK)
            case "DATA":
                said = await self._say(verb, line, GO_ON)
                return said and await self._body()
            case "QUIT":
                await self._say(verb, line, b"221 bye\r\n")
                return False
            case _:
                return await self._say(verb, line, OK)

    async def _start_tls(self, line: str) -> bool:
        if self.relay.tls is None or self.relay.words["STARTTLS"] < 0:
            return await self._say("STARTTLS", line, b"454 not now\r\n")
        if not await self._say("STARTTLS", line, b"220 go\r\n" + self.relay.after_starttls):
            return False
        await self.writer.start_tls(self.relay.tls)
        self.secure = True
        return True

    async def _body(self) -> bool:
        body = await self.reader.readuntil(b"\r\n.\r\n")
        self.relay.reads.append(body)
        answer = self.relay.script("BODY", self.to, self.relay.words["BODY"])
        self.relay.words["BODY"] += 1
        if answer is None or answer.startswith((b"250", HANG_UP)) and not answer.startswith(
            (b"4", b"5")
        ):
            self.relay.mails.append((self.sender, self.to, body))
        if self.relay.held is not None:
            await self.relay.held.wait()
        return await self._write(OK if answer is None else answer, scripted=answer is not None)

    async def _say(self, verb: str, line: str, usual: bytes) -> bool:
        answer = self.relay.script(verb, line, self.relay.words[verb])
        self.relay.words[verb] += 1
        said = await self._write(usual if answer is None else answer, scripted=answer is not None)
        return said and (verb != "DATA" or answer is None or answer.startswith(b"354"))

    async def _write(self, answer: bytes, *, scripted: bool) -> bool:
        if answer == HANG_UP:
            self.writer.transport.abort()
            return False
        if scripted and self.relay.drip_s:
            for byte in answer:
                self.writer.write(bytes([byte]))
                await asyncio.sleep(self.relay.drip_s)  # that is the fault
        else:
            self.writer.write(answer)
        await self.writer.drain()
        return not answer.startswith(b"421")


@asynccontextmanager
async def relaying(relay: Relay, port: int = 0) -> AsyncIterator[int]:
    """The port on which ``relay`` answers while the block runs."""
    server = await asyncio.start_server(relay.serve, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None
