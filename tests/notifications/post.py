"""A delivery with its database and clock, for tests to send with."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from infra import audit
from infra.database import Database
from infra.settings import DeliverySettings, Settings, SmtpSettings
from notifications.delivery import Delivery, RangeResult
from notifications.outbox import State
from tests.e2e.support import until
from tests.notifications.mailroom import (
    CAMPAIGN,
    Clock,
    make_database,
    make_recipient,
    rows,
    signer,
)

ACK_KEY = bytes(range(32))
RETRY_AFTER = timedelta(seconds=60)
A_DAY = timedelta(days=1)


class Post:
    """A delivery, its database and its clock."""

    def __init__(self, folder: Path, number: int, **changes: Any) -> None:
        recipients = changes.pop("recipients", [make_recipient(n) for n in range(number)])
        self.database: Database = make_database(folder, recipients, changes.pop("content", None))
        self.clock: Any = changes.pop("clock", Clock())
        self.lease = changes.pop("lease", timedelta(seconds=60))
        self.number = number
        self.policy = changes.pop("policy", "resend")
        self.console = changes.pop("console", "https://leerp.invalid")
        self.smtp = changes.pop("smtp", {})
        self.settings = changes.pop("delivery", {})
        self.recheck = changes

    async def send(self, port: int) -> RangeResult:
        delivery = self.delivery(port)
        return await delivery.send_range(CAMPAIGN, 0, self.number, heartbeat=lambda: None)

    async def send_beside(self, port: int, *, leases: int) -> None:
        """Send again and again for so many leases while another sender has every mail in hand.

        The clock goes on by half a lease when the other has renewed its claims, so that a machine
        that stands still makes this slow and never wrong.
        """
        for _ in range(2 * leases):
            await until(self._claims_are_fresh)
            self.clock.move(self.lease / 2)
            assert (await self.send(port)).unknown == 0

    def _claims_are_fresh(self) -> bool:
        return all(
            row.state == State.SENDING and row.lease_until == self.clock() + self.lease
            for row in rows(self.database)
        )

    def delivery(self, port: int) -> Delivery:
        settings = Settings(
            console_url=self.console,
            smtp=SmtpSettings(host="127.0.0.1", port=port, **{"connections": 4} | self.smtp),
            delivery=DeliverySettings(
                **{"retry_after": RETRY_AFTER, "unknown_policy": self.policy, "lease": self.lease}
                | self.settings
            ),
        )
        return Delivery(
            self.database,
            settings,
            signer=signer(),
            ack_key=ACK_KEY,
            clock=self.clock,
            **self.recheck,
        )

    def audited(self) -> list[str]:
        with self.database.read() as connection:
            assert audit.verify(connection).verified
            return [row["event"] for row in audit.export(connection)]
