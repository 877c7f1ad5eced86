"""The ground that a bench stands on: services in a folder of their own, a fresh home for each run."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from aiokafka import TopicPartition
from rich.console import Console
from sqlalchemy import insert

from infra import kafka
from infra.database import Database
from infra.keys import ensure_keys
from infra.services import kafka as embedded_kafka
from infra.services.ports import Ports
from infra.services.supervisor import Service, Supervisor
from infra.settings import KafkaSettings, Settings
from infra.tables import consumer_offset
from leerp.bench.kept import conninfo
from protocol.errors import ServiceDown


@dataclass(slots=True)
class Ground:
    """One Kafka with the bench's records, and the database that runs are made on."""

    folder: Path
    kafka: KafkaSettings
    broker: int
    """Process id."""
    postgres: str = ""
    """URL of a PostgreSQL server without a database's name; SQLite where it is empty."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def login(self) -> dict[str, str]:
        """The environment by which processes find Kafka and log in to it."""
        return {
            "LEERP_KAFKA__BOOTSTRAP": self.kafka.bootstrap,
            "LEERP_KAFKA__SECURITY": self.kafka.security,
            "LEERP_KAFKA__MECHANISM": self.kafka.mechanism,
            "LEERP_KAFKA__USERNAME": self.kafka.username,
            "LEERP_KAFKA__PASSWORD_FILE": str(self.kafka.password_file),
        }

    @asynccontextmanager
    async def home(self) -> AsyncIterator[Home]:
        """A home with an empty database and a consumer group of its own, removed at the end."""
        number = next(self._numbers)
        folder = self.folder / f"run-{number}"
        folder.mkdir()
        name = f"leerp_bench_{os.getpid()}_{number}"
        url = f"{self.postgres}/{name}" if self.postgres else f"sqlite:///{folder / 'leerp.db'}"
        if self.postgres:
            _on_server(self.postgres, f"CREATE DATABASE {name}")
        try:
            yield Home(
                folder=folder,
                url=url,
                environment={
                    **self.login,
                    "LEERP_KAFKA__GROUP_ID": f"{self.kafka.group_id}-bench-{number}",
                    "LEERP_DATABASE": url,
                },
            )
        except ServiceDown:
            raise  # its logs and its data are what a person looks at with --keep
        except BaseException:
            shutil.rmtree(folder)
            raise
        else:
            shutil.rmtree(folder)
        finally:
            if self.postgres:
                _on_server(self.postgres, f"DROP DATABASE {name} WITH (FORCE)")

    async def ends(self) -> dict[tuple[str, int], int]:
        """How many records each topic and partition holds."""
        consumer = kafka.consumer(self.kafka)
        await consumer.start()
        try:
            places = [
                TopicPartition(topic, number)
                for topic in kafka.TOPICS.values()
                for number in range(kafka.PARTITIONS)
            ]
            found = await consumer.end_offsets(places)
        finally:
            await consumer.stop()
        return {(place.topic, place.partition): end for place, end in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One run's folder and database, and the environment that processes find them by."""

    folder: Path
    url: str
    environment: dict[str, str]

    def furnish(self, begin_at: Mapping[tuple[str, int], int] | None = None) -> None:
        """Make the keys and the schema, as ``leerp up`` does; what lies before ``begin_at`` is over."""
        ensure_keys(self.folder / "keys", Settings(home=self.folder).smtp.sender)
        with closing(Database(self.url)) as database:
            database.migrate()
            if begin_at:
                with database.write() as connection:
                    connection.execute(
                        insert(consumer_offset),
                        [
                            {"topic": topic, "partition": number, "next": begin}
                            for (topic, number), begin in begin_at.items()
                        ],
                    )

    def service(self, name: str, *arguments: str) -> Service:
        """``python -m ARGUMENTS`` in this home."""
        return Service(
            name=name,
            argv=(sys.executable, "-m", *arguments),
            log=self.folder / "logs" / f"{name}.log",
            advice="Run the bench again with --keep FOLDER, and look into the logs there.",
            environment=self.environment,
        )


@asynccontextmanager
async def ground_in(folder: Path, console: Console) -> AsyncIterator[Ground]:
    """An embedded Kafka with the intake topics, and SQLite.

    Raises:
        ServiceDown: it does not start.
    """
    async with Supervisor() as supervisor:
        with console.status("starting Kafka"):
            service, settings = await embedded_kafka.prepare(folder, Ports(folder), KafkaSettings())
            broker = await supervisor.start(service)
            await kafka.create_topics(settings)
        yield Ground(folder, settings, broker.process.pid)


def _on_server(server: str, statement: str) -> None:
    with psycopg.connect(conninfo(f"{server}/postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())
