"""The database: SQLite (WAL, synchronous FULL) by default, PostgreSQL by address.

Every write transaction is opened as one (``BEGIN IMMEDIATE`` on SQLite), so that two writers wait for
each other at the start and never deadlock on an upgrade from reader to writer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite

BUSY_TIMEOUT_MS = 60_000
CHECKPOINT_PAGES = 8_192
"""32 MB: pages of the indexes that a storm changes again and again are written back once."""
CACHE_KB, WRITERS_CACHE_KB = 2_048, 4_096
"""Pages kept by a connection, and by one that has written: of readers there are many at a time."""
_WIDE = "leerp-wide-cache"
MIGRATION = 0
"""Number of the lock under which the schema changes."""
MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """One engine, and the two ways to use it: ``read()`` and ``write()``."""

    def __init__(self, url: str) -> None:
        self.url = url
        # What a statement carries are reports and addresses: errors must not repeat them.
        # The connection used last is used next, so that one cache of pages is warm and not twenty;
        # who waits for one may have to wait for those who wait for the lock.
        self.engine = create_engine(
            url,
            pool_size=20,
            max_overflow=20,
            pool_timeout=BUSY_TIMEOUT_MS / 1_000,
            pool_use_lifo=True,
            hide_parameters=True,
        )
        # Who waits for SQLite's own lock sleeps, longer each time, and finds it taken again by whoever
        # never slept; among the threads of one process the next one goes on at once.
        self._turn = threading.Lock() if self.is_sqlite else nullcontext()
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_connect)
            event.listen(self.engine, "begin", _sqlite_begin)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state and writes nothing."""
        options: dict[str, Any] = {}
        if not self.is_sqlite:  # there a reader keeps what it saw first without being told
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed as a whole when the block ends, rolled back when it raises."""
        with self._turn, self.engine.connect() as opened:
            connection = opened.execution_options(leerp_write=True)
            with connection.begin():
                yield connection

    def serialise(self, connection: Connection, number: int) -> None:
        """Let only one transaction with this number go on at a time, on any database."""
        if not self.is_sqlite:  # there every write transaction is alone already
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": number})

    def insert_new(self, table: Table) -> Any:
        """``INSERT ... ON CONFLICT DO NOTHING`` for this database."""
        dialect = sqlite if self.is_sqlite else postgresql
        return dialect.insert(table).on_conflict_do_nothing()

    def migrate(self) -> None:
        """Bring the schema to the newest version; harmless when it is already there.

        Processes that do so at the same time wait for each other.
        """
        from alembic import command
        from alembic.config import Config

        with self.write() as connection:
            self.serialise(connection, MIGRATION)
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        self.engine.dispose()


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",  # first, so that the others wait too
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        f"cache_size=-{CACHE_KB}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("leerp_write", False)
    if writing and not connection.info.get(_WIDE):
        connection.exec_driver_sql(f"PRAGMA cache_size=-{WRITERS_CACHE_KB}")
        connection.info[_WIDE] = True
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
