"""The intake process: consumes reports, relays changes, and corroborates."""

from __future__ import annotations

import asyncio
import sys

from infra.bootstrap import App
from infra.memory import collect_seldom
from intake.consumer import run_intake as consume
from intake.corroboration import corroborator_of
from intake.relay import Relay

TURN_SECONDS = 0.001
"""So long the writer's thread may go on while the event loop, which keeps us in Kafka's group, waits."""


def tune_for_storms() -> None:
    """Set the interpreter up for a process that consumes, once all that it needs is there."""
    collect_seldom()
    sys.setswitchinterval(TURN_SECONDS)


async def run_intake(opened: App, stop: asyncio.Event) -> None:
    """Work until told to stop; when one part fails, so does the process."""
    client = await opened.temporal()
    relay = Relay(opened, client, opened.settings.profile())
    tune_for_storms()
    async with asyncio.TaskGroup() as group:
        group.create_task(consume(opened, stop))
        group.create_task(relay.run(stop))
        group.create_task(corroborator_of(opened).run(stop))
