"""Builds every process from one settings object: the only place that wires parts together.

Nothing happens at import time; a test builds an ``App`` of its own.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from infra.database import Database
from infra.keys import Keys, load_keys
from infra.settings import Settings

if TYPE_CHECKING:  # takes a second to import, and most commands do without
    from temporalio.client import Client

    from infra.codec import EncryptionCodec


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What all processes share."""

    settings: Settings
    database: Database
    keys: Keys

    def codec(self) -> EncryptionCodec:
        """The payload codec with this home's keys."""
        from infra.codec import EncryptionCodec

        return EncryptionCodec(
            active=self.keys.codec_active,
            keys=dict(self.keys.codec),
            namespace=self.settings.temporal.namespace,
        )

    async def temporal(self) -> Client:
        """A client of Temporal.

        Raises:
            ServiceDown: no address, or nothing answers there.
        """
        from infra.codec import connect

        self.settings.require("Temporal", self.settings.temporal.address)
        return await connect(self.settings.temporal, self.codec())


@contextmanager
def app(home: Path) -> Iterator[App]:
    """Open what a process needs of ``home`` and close it again.

    Raises:
        ServiceDown: keys are missing or the database cannot be opened.
    """
    settings = Settings.load(home)
    database = Database(settings.database_url)
    try:
        yield App(settings=settings, database=database, keys=load_keys(settings.keys))
    finally:
        database.close()


def configure_logging(level: int = logging.INFO) -> None:
    """One JSON line an event on standard error; identifiers, never report text."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
