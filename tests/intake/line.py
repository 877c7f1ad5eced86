"""A line to a server on loopback that can be cut and put back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from infra.services.ports import LOOPBACK


@asynccontextmanager
async def line(port: int, server_port: int) -> AsyncIterator[None]:
    """Whoever connects to ``port`` talks to ``server_port``; at the end all is cut off."""
    calls: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(LOOPBACK, server_port)
        try:
            await asyncio.gather(copy(reader, back), copy(there, writer))
        finally:
            writer.transport.abort()
            back.transport.abort()

    def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.create_task(talk(reader, writer))
        calls.add(call)
        call.add_done_callback(calls.discard)

    server = await asyncio.start_server(answer, LOOPBACK, port)
    try:
        yield
    finally:
        server.close()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
