"""Our own processes: each runs until SIGTERM or Ctrl-C, and finishes what it has in hand."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import uvloop

from infra.bootstrap import App, configure_logging
from infra.memory import keep_memory_small
from leerp.home import open_app

log = structlog.get_logger()

Work = Callable[[App, asyncio.Event], Awaitable[None]]


def run_process(home: Path, name: str, work: Work) -> None:
    """Run ``work`` in ``home`` until told to stop.

    Raises:
        ServiceDown: a service that it needs does not answer.
    """
    keep_memory_small()
    configure_logging()
    structlog.contextvars.bind_contextvars(process=name)
    with open_app(home) as opened:
        uvloop.run(_until_stopped(opened, work))


async def _until_stopped(opened: App, work: Work) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    log.info("process_started")
    await work(opened, stop)
    log.info("process_stopped")
