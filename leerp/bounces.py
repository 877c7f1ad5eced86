"""The part of the worker that reads what mail servers send back about our mails."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime

import structlog

from infra.bootstrap import App
from notifications.bounce_inbox import read_inbox
from notifications.bounces import Read
from protocol.errors import ServiceDown

log = structlog.get_logger()


def read_bounces(app: App) -> Read:
    """Read the inbox once.

    Raises:
        ServiceDown: no inbox is named, or it cannot be read.
    """
    settings = app.settings.delivery.bounces
    if not settings.is_read:
        raise ServiceDown(
            "no inbox for notices is named: set LEERP_DELIVERY__BOUNCES__MAILDIR or "
            "LEERP_DELIVERY__BOUNCES__IMAP__HOST, and LEERP_SMTP__BOUNCES to its address"
        )
    return read_inbox(app.database, app.keys.acknowledgement, settings, lambda: datetime.now(UTC))


async def keep_reading(app: App, stop: asyncio.Event) -> None:
    """Read the inbox every while until told to stop; nothing to do where none is named.

    An inbox that is away is logged and tried again: mails go out without it.
    """
    settings = app.settings.delivery.bounces
    while settings.is_read and not stop.is_set():
        try:
            read = await asyncio.to_thread(read_bounces, app)
            if read != Read():
                log.info("notices_read", **asdict(read))
        except ServiceDown as down:
            log.warning("inbox_away", reason=str(down))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), settings.every.total_seconds())
