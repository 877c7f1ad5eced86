"""The sign of life: what was not heard is said, and nobody is waited for without end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import ValidationError

from infra.dead_man import signal
from infra.settings import WatchSettings

WITHIN = timedelta(seconds=90)


async def asked(answer: bytes | None, within: timedelta = WITHIN) -> str:
    """What ``signal`` says of a server with this answer; None for one that never answers."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await over.wait()
        else:
            writer.write(answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        return await signal(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", within)
    finally:
        over.set()
        server.close()
        await server.wait_closed()


@pytest.mark.asyncio
async def test_only_success_counts_as_heard() -> None:
    assert await asked(b"HTTP/1.1 200 OK") == ""
    assert await asked(b"HTTP/1.1 500 No") == "it answered 500"
    elsewhere = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/"
    assert await asked(elsewhere) == "it answered 302"
    assert await asked(b"nonsense") == "RemoteProtocolError"
    assert await signal("http://127.0.0.1:1/", WITHIN) == "ConnectError"


@pytest.mark.asyncio
async def test_nobody_is_waited_for_without_end() -> None:
    assert "Timeout" in await asked(None, timedelta(milliseconds=50))


@pytest.mark.parametrize("url", ["http://example.invalid/", "ftp://x/", "https://", "file:///x"])
def test_it_leaves_this_machine_over_tls_only(url: str) -> None:
    with pytest.raises(ValidationError):
        WatchSettings(ping_url=url)
    assert WatchSettings(ping_url="https://example.invalid/key").ping_url
