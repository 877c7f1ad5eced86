"""Processes that stand still in the middle of their work."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import closing

from infra.database import Database


async def freeze(pid: int, database: Database) -> None:
    """Stop it between two transactions: whoever is stopped inside one stops every writer of SQLite."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        with closing(sqlite3.connect(str(database.engine.url.database), timeout=0.2)) as another:
            try:
                another.execute("BEGIN IMMEDIATE").close()
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                await asyncio.sleep(0.005)  # some way on, not to the end
            else:
                return
