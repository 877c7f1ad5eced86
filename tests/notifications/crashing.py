"""A sender in a process of its own, for tests to kill: ``python -m ... FOLDER PORT ROWS``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from infra.database import Database
from infra.settings import Settings, SmtpSettings
from notifications.delivery import Delivery
from notifications.smime import Signer
from tests.notifications.mailroom import CAMPAIGN


async def main(folder: Path, port: int, rows: int) -> None:
    delivery = Delivery(
        Database(f"sqlite:///{folder / 'leerp.db'}"),
        Settings(smtp=SmtpSettings(host="127.0.0.1", port=port, connections=4)),
        signer=Signer.load(folder / "signer.pem", folder / "signer.key"),
        ack_key=bytes(32),
    )
    await delivery.send_range(CAMPAIGN, 0, rows, heartbeat=lambda: None)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
