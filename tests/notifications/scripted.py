"""A mail relay by script, line by line: for what a well-behaved library would never say."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

USUAL = {"CONNECT": b"220 scripted ESMTP", "DATA": b"354 go on", "QUIT": b"221 bye"}
HANG_UP = b""
Script = Callable[[str, str, int], bytes | None]


def as_usual(_verb: str, _line: str, _before: int) -> None:
    """No answer but what any relay gives."""


@dataclass
class Relay:
    """Takes mail as any relay does, but for what the script answers first.

    ``script`` gets the command's first word (CONNECT for the greeting, BODY for the final dot), the
    whole line, and how often that word came before on all connections. It gives the answer without
    its line end, nothing at all to hang up, or None for the usual one. What a body is answered with
    250, or with nothing, is kept.
    """

    offers: tuple[str, ...] = ("PIPELINING",)
    script: Script = as_usual
    tls: ssl.SSLContext | None = None
    offers_in_tls: tuple[str, ...] = ()
    after_starttls: bytes = b""
    """Sent in clear in one write with the 220."""
    drip_s: float = 0.0
    """Pause between the bytes of scripted answers."""
    held: asyncio.Event | None = None
    """Until it is set, the answer to a body is kept back,"""
    held_from: int = 0
    """once so many mails have come."""
    commands: list[str] = field(default_factory=list)
    mails: list[tuple[str, str, bytes]] = field(default_factory=list)
    """MAIL line, RCPT line, body as it came."""
    connects: list[float] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    open: int = 0
    most_open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects.append(asyncio.get_running_loop().time())
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, ValueError):
            return  # the other side has had enough
        finally:
            self.open -= 1
            writer.close()

    def answer(self, word: str, line: str) -> bytes | None:
        before = self.words[word]
        self.words[word] += 1
        return self.script(word, line, before)


@dataclass
class _Session:
    relay: Relay
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    secure: bool = False
    sender: str = ""
    to: str = ""

    async def run(self) -> None:
        if not await self._say("CONNECT", ""):
            return
        while line := (await self.reader.readline()).decode("latin-1").strip():
            self.relay.commands.append(line)
            word = line.split()[0].upper()
            if word == "MAIL":
                self.sender, self.to = line, ""
            if not await self._say(word, line) or word == "QUIT":
                return

    async def _say(self, word: str, line: str) -> bool:
        """Whether the connection goes on."""
        scripted = self.relay.answer(word, line)
        answer = self._usual(word) if scripted is None else scripted
        if word == "STARTTLS" and scripted is None and self.relay.tls:
            self.writer.write(answer + b"\r\n" + self.relay.after_starttls)
            await self.writer.start_tls(self.relay.tls)
            self.secure = True
            return True
        if word == "RCPT" and answer.startswith(b"250"):
            self.to = line
        goes_on = await self._write(answer, slowly=scripted is not None)
        if word == "DATA" and answer.startswith(b"354") and goes_on:
            return await self._body()
        return goes_on

    def _usual(self, word: str) -> bytes:
        if word == "STARTTLS":
            return b"220 go" if self.relay.tls else b"502 what?"
        if word == "DATA" and not self.to:
            return b"554 nobody to send to"
        if word != "EHLO":
            return USUAL.get(word, b"250 ok")
        starttls = ("STARTTLS",) if self.relay.tls and not self.secure else ()
        names = [*self.relay.offers, *starttls, *(self.relay.offers_in_tls if self.secure else ())]
        return "\r\n".join(["250-scripted", *(f"250-{name}" for name in names), "250 OK"]).encode()

    async def _body(self) -> bool:
        body = await self.reader.readuntil(b"\r\n.\r\n")
        scripted = self.relay.answer("BODY", self.to)
        answer = b"250 ok" if scripted is None else scripted
        if answer == HANG_UP or answer.startswith(b"250"):
            self.relay.mails.append((self.sender, self.to, body))
        if self.relay.held is not None and len(self.relay.mails) >= self.relay.held_from:
            await self.relay.held.wait()
        return await self._write(answer, slowly=scripted is not None)

    async def _write(self, answer: bytes, *, slowly: bool) -> bool:
        if answer == HANG_UP:
            self.writer.transport.abort()
            return False
        if slowly and self.relay.drip_s:
            for byte in answer + b"\r\n":
                self.writer.write(bytes([byte]))
                await self.writer.drain()
                await asyncio.sleep(self.relay.drip_s)  # that is the fault
        else:
            self.writer.write(answer + b"\r\n")
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
