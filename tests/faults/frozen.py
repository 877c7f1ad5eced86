"""Processes that stand still in the middle of their work."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from infra.database import Database


def freeze(pid: int, database: Database) -> None:
    """Stop a process between two transactions; blocks until it stands still.

    Whoever is stopped inside one stops every writer of SQLite, so it is stopped while we are inside.
    """
    path = str(database.engine.url.database)
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as ours:
        while not _is_begun(ours):
            pass  # the gap that a writer leaves in a storm is missed by whoever sleeps
        os.kill(pid, signal.SIGSTOP)
        while not _stands_still(pid):
            pass


def _is_begun(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


def _stands_still(pid: int) -> bool:
    state, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return state == "T"
