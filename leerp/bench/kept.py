"""Where the control keeps its bytes: one table, by ``executemany``, with the position beside it.

The same pragmas as the subject's database, the plainest driver there is. Source: reliability 1.6.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

TABLE = "CREATE TABLE kept (key {} PRIMARY KEY, body {} NOT NULL)"
POSITIONS = (
    "CREATE TABLE consumer_offset"
    " (topic TEXT, partition INTEGER, next BIGINT, PRIMARY KEY (topic, partition))"
)
POSITION = (
    "INSERT INTO consumer_offset VALUES ({0}, {0}, {0})"
    " ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next"
)
KEEP = "INSERT INTO kept VALUES ({0}, {0})"

Positions = Mapping[tuple[str, int], int]
"""The next offset of each topic and partition."""


class Kept(Protocol):
    """A table of keys and bodies."""

    def make(self) -> None:
        """Make the tables."""

    def keep(self, rows: Sequence[tuple[bytes, bytes]], positions: Positions) -> None:
        """Store rows and positions in one durable transaction."""

    def close(self) -> None:
        """Let go of the database."""


def kept_in(url: str) -> Kept:
    """The control's tables in the database at ``url``."""
    return KeptInSqlite(url) if url.startswith("sqlite") else KeptInPostgres(url)


class KeptInSqlite:
    """WAL and synchronous FULL, as the subject has it."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(str(make_url(url).database), isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")

    def make(self) -> None:
        self._connection.execute(TABLE.format("BLOB", "BLOB"))
        self._connection.execute(POSITIONS)

    def keep(self, rows: Sequence[tuple[bytes, bytes]], positions: Positions) -> None:
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        run.executemany(KEEP.format("?"), rows)
        run.executemany(POSITION.format("?"), [(*place, n) for place, n in positions.items()])
        run.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class KeptInPostgres:
    """With the server's own durability."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(conninfo(url))

    def make(self) -> None:
        self._connection.execute(TABLE.format("BYTEA", "BYTEA").encode())
        self._connection.execute(POSITIONS.encode())
        self._connection.commit()

    def keep(self, rows: Sequence[tuple[bytes, bytes]], positions: Positions) -> None:
        with self._connection.transaction(), self._connection.cursor() as run:
            run.executemany(KEEP.format("%s").encode(), rows)
            run.executemany(
                POSITION.format("%s").encode(), [(*place, n) for place, n in positions.items()]
            )

    def close(self) -> None:
        self._connection.close()


def conninfo(url: str) -> str:
    """A SQLAlchemy URL as the driver takes it."""
    plain: Any = make_url(url).set(drivername="postgresql")
    return str(plain.render_as_string(hide_password=False))
