"""Our own processes: each runs until SIGTERM or Ctrl-C, and finishes what it has in hand."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from console.app import create_app, make_server
from infra.bootstrap import App, configure_logging
from intake.consumer import run_intake
from intake.corroboration import corroborator_of
from intake.relay import Relay
from leerp.home import open_app
from leerp.worker import run_worker

log = structlog.get_logger()

Work = Callable[[App, asyncio.Event], Awaitable[None]]


def run_process(home: Path, name: str, work: Work) -> None:
    """Run ``work`` in ``home`` until told to stop.

    Raises:
        ServiceDown: a service that it needs does not answer.
    """
    configure_logging()
    structlog.contextvars.bind_contextvars(process=name)
    with open_app(home) as opened:
        asyncio.run(_until_stopped(opened, work))


async def _until_stopped(opened: App, work: Work) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    log.info("process_started")
    await work(opened, stop)
    log.info("process_stopped")


async def intake(opened: App, stop: asyncio.Event) -> None:
    """Consume reports, relay changes and corroborate; when one of them fails, so does the process."""
    client = await opened.temporal()
    relay = Relay(opened, client, opened.settings.profile())
    async with asyncio.TaskGroup() as group:
        group.create_task(run_intake(opened, stop))
        group.create_task(relay.run(stop))
        group.create_task(corroborator_of(opened).run(stop))


async def worker(opened: App, stop: asyncio.Event) -> None:
    """Run workflows and activities."""
    await run_worker(opened, stop)


async def console(opened: App, stop: asyncio.Event) -> None:
    """Serve the acknowledgement page."""
    settings = opened.settings
    host, _, port = settings.console_bind.rpartition(":")
    pages = create_app(
        opened.database,
        opened.keys.acknowledgement,
        public_url=settings.require("the console", settings.console_url),
    )
    server = make_server(pages, host, int(port))
    serving = asyncio.create_task(server.serve())
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
