"""Fixtures that several rooms share: a database, and real services on loopback."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from rich.console import Console

from infra.database import Database
from infra.services.postgres import running_postgres
from infra.settings import Settings
from leerp.up import Processes, everything

# On a busy machine a slow example proves nothing. The same tree gives the same answer: the examples
# are the same each time; 'make faults' looks for new ones.
hypothesis_settings.register_profile(
    "leerp", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
hypothesis_settings.register_profile(
    "exploring", hypothesis_settings.get_profile("leerp"), derandomize=False
)
# For 'make mutate', which runs the tests of the rules eight thousand times and asks only whether they
# fail: looking for the smallest example of it takes most of the time.
hypothesis_settings.register_profile(
    "mutate",
    hypothesis_settings.get_profile("leerp"),
    max_examples=8,
    phases=(Phase.explicit, Phase.generate),
    database=None,
)
hypothesis_settings.load_profile("leerp")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="faults in full: hours, not minutes")


ON_REAL_PROCESSES = ("services", "temporal", "faults")
DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.services))
NUMBERS = itertools.count(1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A machine that stands still for a while is not our fault: such a test has a second try.

    It is shown as rerun at the end (decision 012). In full, with ``--long``, there is none.
    """
    if not config.getoption("--long"):
        for item in items:
            if any(item.get_closest_marker(name) for name in ON_REAL_PROCESSES):
                item.add_marker(pytest.mark.flaky(reruns=1))


def with_schema(url: str) -> Iterator[Database]:
    """The database with the newest schema, closed at the end."""
    made = Database(url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database with the newest schema."""
    yield from with_schema(f"sqlite:///{tmp_path / 'leerp.db'}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL, one for all the tests of a process; see ``running_postgres``."""
    with running_postgres(durable=False) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """A database without a schema there, for one test."""
    name = f"leerp_{next(NUMBERS)}"
    address = postgres.replace("+psycopg", "") + "/postgres"
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{postgres}/{name}"


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """An empty PostgreSQL database with the newest schema."""
    yield from with_schema(postgres_url)


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    made: str = request.getfixturevalue("postgres_url")
    return made


@pytest.fixture
def any_database(url: str) -> Iterator[Database]:
    """An empty database of each kind with the newest schema."""
    yield from with_schema(url)


def no_processes(_: Settings) -> tuple[()]:
    """Services only: the test runs what it needs of our own processes itself."""
    return ()


@asynccontextmanager
async def running(
    home: Path, *, processes: Processes = no_processes, **settings: object
) -> AsyncIterator[Settings]:
    """Real Kafka, Temporal and mail catcher of one home, with keys, topics and database.

    ``infra.bootstrap.app(home)`` works inside; ``leerp.up.own_processes`` as ``processes`` starts
    worker, intake and console too. Everything is stopped at the end.
    """
    wanted = Settings.model_validate({"home": home, "exercise": True, **settings})
    async with everything(wanted, processes, Console(quiet=True)) as (_, complete):
        yield complete
