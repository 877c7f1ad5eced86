"""Whether somebody listens at an address."""

from __future__ import annotations

import asyncio

from infra.services.ports import address_of

CONNECT_SECONDS = 5.0


async def answers(address: str) -> bool:
    """Whether ``HOST:PORT`` takes a connection."""
    host, port = address_of(address)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_SECONDS)
    except OSError:
        return False
    writer.close()
    return True


async def greets(host: str, port: int) -> bool:
    """Whether an SMTP server greets there."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            greeting = await reader.readline()
    except OSError:
        return False
    writer.write(b"QUIT\r\n")
    writer.close()
    return greeting.startswith(b"220")
