from __future__ import annotations

import asyncio
import gc

import pytest

from infra.settings import KafkaSettings
from intake.clients import first_client


@pytest.mark.asyncio
async def test_a_client_that_is_told_to_stop_while_it_starts_is_let_go() -> None:
    reached = asyncio.Event()
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        while await reader.read(1_024):
            pass
        writer.close()

    try:
        async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            starting = asyncio.create_task(first_client(KafkaSettings(bootstrap=f"{host}:{port}")))
            await reached.wait()
            starting.cancel()
            await asyncio.wait([starting])
            assert starting.cancelled()
        del starting
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert not complaints
