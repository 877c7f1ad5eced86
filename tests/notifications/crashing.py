"""Senders in processes of their own, for tests to kill: ``python -m ... FOLDER PORT ROWS [CONNECTIONS]``.

``senders`` makes many at little cost: they are forked from a process that has read the program already.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from infra.database import Database
from infra.settings import Settings, SmtpSettings
from notifications import failpoints
from notifications.delivery import Delivery
from notifications.smime import Signer
from tests.notifications.mailroom import CAMPAIGN


async def main(folder: Path, port: int, rows: int, connections: int = 4) -> None:
    delivery = Delivery(
        Database(f"sqlite:///{folder / 'leerp.db'}"),
        Settings(
            smtp=SmtpSettings(host="127.0.0.1", port=port, connections=connections),
        ),
        signer=Signer.load(folder / "signer.pem", folder / "signer.key"),
        ack_key=bytes(range(32)),
    )
    await delivery.send_range(CAMPAIGN, 0, rows, heartbeat=lambda: None)


def _run(failpoint: str, *order: Any) -> None:
    os.environ[failpoints.VARIABLE] = failpoint
    asyncio.run(main(*order))


def senders(folder: Path, port: int, rows: int, connections: int) -> Callable[..., BaseProcess]:
    """Starts a sender each time that it is called, with the failpoint at which it is to die."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])

    def start(failpoint: str = "") -> BaseProcess:
        process = context.Process(
            target=_run, args=(failpoint, folder, port, rows, connections), daemon=True
        )
        process.start()
        return process

    return start


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
