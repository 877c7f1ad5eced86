"""Delivery of ranges of campaigns' mails over a few connections that stay open.

What is promised: no mail is lost; a second copy of one can arise only when sender or connection dies
between the final dot and the relay's answer, so at most one for each connection and crash; it carries
the same Message-ID and, unless address or key changed, the same bytes; the audit trail lists it.
Source: reliability 2.2, 2.3.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.database import Database
from infra.settings import Settings
from notifications import progress
from notifications.connections import Connections
from notifications.destinations import name_destinations
from notifications.directory_in_force import DirectoryInForce
from notifications.marks import Marks
from notifications.outbox import Range, State
from notifications.parcels import Packer, Recheck, recheck_locks
from notifications.sending import SendingRun
from notifications.smime import Signer
from notifications.traffic import Traffic
from notifications.trust import Trust
from notifications.trust_folders import TrustFolders


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeResult:
    """How the range stands. ``next_due`` is when to come again, None when nothing is left to do."""

    accepted: int
    refused: int
    unknown: int
    retry_due: int
    held: int
    next_due: datetime | None


class Delivery:
    """Sends what is due in a range. Safe to run twice at once, and again after any crash.

    Ranges that are sent at the same time share the connections: a process has one such object.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        signer: Signer,
        ack_key: bytes,
        recheck: Recheck = recheck_locks,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._settings = settings
        self._signer = signer
        self._ack_key = ack_key
        self._recheck = recheck
        self._trust = TrustFolders(settings.smime)
        self._connections = Connections(settings.smtp)
        self._traffic = Traffic(
            settings.smtp.connections, settings.delivery.destination_concurrency
        )
        self._marks = Marks(database, settings.delivery, self._traffic, clock)
        self._directory = DirectoryInForce()
        self._clock = clock

    def trust(self) -> Trust:
        """The authorities and revocation lists of this moment."""
        return self._trust.current()

    async def send_range(
        self, campaign_id: str, start: int, end: int, *, heartbeat: Callable[[], None]
    ) -> RangeResult:
        """Send every mail of the range that is due; returns when the rest is settled or for later.

        ``heartbeat`` is called from the event loop every few seconds while work goes on.

        Raises:
            ServiceDown: no connection to the relay can be had as the settings demand it. Nothing is
                lost: what was claimed is due again.
            NotFound: no such campaign, or its directory is gone.
        """
        rows = Range(campaign_id=campaign_id, start=start, end=end)
        packer = await asyncio.to_thread(self._prepare, rows)
        run = SendingRun(
            self._database,
            self._settings,
            rows,
            packer,
            connections=self._connections,
            traffic=self._traffic,
            marks=self._marks,
            clock=self._clock,
        )
        await run.to_end(heartbeat)
        return await asyncio.to_thread(self._result, rows)

    def _prepare(self, rows: Range) -> Packer:
        with self._database.read() as connection:
            packer = Packer.load(
                connection,
                rows.campaign_id,
                settings=self._settings,
                signer=self._signer,
                trust=self._trust,
                ack_key=self._ack_key,
                recheck=self._recheck,
                directory=self._directory,
            )
            recipients = self._directory.by_id(connection)
        with self._database.write() as connection:
            name_destinations(connection, rows.rows(), recipients)
        return packer

    def _result(self, rows: Range) -> RangeResult:
        resend = self._settings.delivery.unknown_policy == "resend"
        with self._database.read() as connection:
            counts = progress.counts(connection, rows)
            next_due = progress.next_due(connection, rows, resend_unknown=resend)
        return RangeResult(
            accepted=counts[State.ACCEPTED],
            refused=counts[State.REFUSED],
            unknown=counts[State.UNKNOWN],
            retry_due=counts[State.RETRY_DUE],
            held=counts[State.HELD],
            next_due=next_due,
        )
