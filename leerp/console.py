"""The console process: serves the acknowledgement page."""

from __future__ import annotations

import asyncio

from console.app import create_app, make_server
from infra.bootstrap import App


async def run_console(opened: App, stop: asyncio.Event) -> None:
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
