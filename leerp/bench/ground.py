"""The ground that a bench stands on: services in a folder of their own, a fresh home for each run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from rich.console import Console

from infra import kafka
from infra.database import Database
from infra.keys import ensure_keys
from infra.services import kafka as embedded_kafka
from infra.services.ports import Ports
from infra.services.supervisor import Running, Service, Supervisor
from infra.settings import KafkaSettings, Settings
from leerp.bench.kept import conninfo

ADVICE = "Run the bench again with --keep FOLDER, and look into the logs there."


@dataclass(slots=True)
class Ground:
    """One Kafka with the bench's records, and the database that runs are made on."""

    folder: Path
    kafka: KafkaSettings
    postgres: str = ""
    """URL of a PostgreSQL server without a database's name; SQLite where it is empty."""
    _runs: int = field(default=0)

    @asynccontextmanager
    async def home(self) -> AsyncIterator[Home]:
        """A home with an empty database and a consumer group of its own, removed at the end."""
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        name = f"leerp_bench_{os.getpid()}_{self._runs}"
        url = f"{self.postgres}/{name}" if self.postgres else f"sqlite:///{folder / 'leerp.db'}"
        if self.postgres:
            _on_server(self.postgres, f"CREATE DATABASE {name}")
        try:
            yield Home(
                folder=folder,
                url=url,
                environment={
                    "LEERP_KAFKA__BOOTSTRAP": self.kafka.bootstrap,
                    "LEERP_KAFKA__GROUP_ID": f"bench-{self._runs}",
                    "LEERP_DATABASE": url,
                },
            )
        finally:
            shutil.rmtree(folder)
            if self.postgres:
                _on_server(self.postgres, f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One run's folder and database, and the environment that processes find them by."""

    folder: Path
    url: str
    environment: dict[str, str]

    def furnish(self) -> None:
        """Make the keys and the schema, as ``leerp up`` does."""
        ensure_keys(self.folder / "keys", Settings(home=self.folder).smtp.sender)
        with closing(Database(self.url)) as database:
            database.migrate()

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[tuple[Running, Callable[[], None]]]:
        """Run ``python -m ARGUMENTS`` here; the second value raises once the process has ended."""
        async with Supervisor() as supervisor:
            process = await supervisor.start(
                Service(
                    name=arguments[0],
                    argv=(sys.executable, "-m", *arguments),
                    log=self.folder / "logs" / f"{arguments[0]}.log",
                    advice=ADVICE,
                    environment=self.environment,
                )
            )

            def alive() -> None:
                if process.ended.done():
                    raise process.failure()

            yield process, alive


@asynccontextmanager
async def kafka_in(folder: Path, console: Console) -> AsyncIterator[KafkaSettings]:
    """An embedded Kafka with the intake topics.

    Raises:
        ServiceDown: it does not start.
    """
    async with AsyncExitStack() as stack:
        supervisor = await stack.enter_async_context(Supervisor())
        with console.status("starting Kafka"):
            service, settings = await embedded_kafka.prepare(folder, Ports(folder), KafkaSettings())
            await supervisor.start(service)
            await kafka.create_topics(settings)
        yield settings


def _on_server(server: str, statement: str) -> None:
    with psycopg.connect(conninfo(f"{server}/postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())
