"""Puts a server far away: each answer of it is passed on so many seconds later, in order.

``python -m leerp.bench.distance PORT TARGET SECONDS``; both ports on loopback. Source: reliability 1.5c.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from infra.services.ports import LOOPBACK

CHUNK = 65_536


async def serve(port: int, target: int, seconds: float) -> None:
    """Pass on until cancelled."""
    server = await asyncio.start_server(partial(_connect, target, seconds), LOOPBACK, port)
    async with server:
        await server.serve_forever()


async def _connect(
    target: int, seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    far_reader, far_writer = await asyncio.open_connection(LOOPBACK, target)
    there = asyncio.create_task(_pass_on(reader, far_writer))
    await _pass_back(far_reader, writer, seconds)
    there.cancel()
    far_writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _pass_back(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(CHUNK):
        loop.call_later(seconds, writer.write, data)
    loop.call_later(seconds, writer.close)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
