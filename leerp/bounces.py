"""The part of the worker that reads what mail servers send back about our mails."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from infra.bootstrap import App
from notifications.bounce_inbox import read_inbox
from notifications.bounces import Read
from protocol.errors import ServiceDown

log = structlog.get_logger()

OUTAGES = (OperationalError, InterfaceError, NoConnectionFree)
"""Of the database; they pass."""
LONGEST_PAUSE = timedelta(minutes=10)


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

    An inbox that is away is logged and tried again, and so is a database that is locked or away, after
    a pause that doubles: mails go out without it. What was not written down is still new in the inbox.
    A defect of ours ends it.
    """
    settings = app.settings.delivery.bounces
    failures = 0
    while settings.is_read and not stop.is_set():
        try:
            read = await asyncio.to_thread(read_bounces, app)
            failures = 0
            if read != Read():
                log.info("notices_read", **asdict(read))
        except ServiceDown as down:
            log.warning("inbox_away", reason=str(down))
        except OUTAGES as outage:
            failures += 1
            log.exception("notices_not_read", error=type(outage).__name__, failures=failures)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _pause(settings.every, failures).total_seconds())


def _pause(every: timedelta, failures: int) -> timedelta:
    """Until the next round: doubled for each failure in a row, up to ten minutes more."""
    return every + min(every * (2.0 ** min(failures, 20) - 1), LONGEST_PAUSE)
