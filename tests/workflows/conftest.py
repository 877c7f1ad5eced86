"""The clock that all workflow tests share, and the house that each of them gets."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from infra.database import Database
from infra.keys import Keys, ensure_keys
from infra.services import artefacts
from notifications.directory_import import import_directory
from tests.workflows import cast
from tests.workflows.house import CONVERTER, NAMESPACE, House, house


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def clock() -> AsyncIterator[WorkflowEnvironment]:
    """The time-skipping server. Its clock is one for all, so tests use it one after the other."""
    artefacts.ensure(Console(quiet=True), kafka=False, temporal=False, tests=True)
    env = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(artefacts.test_server().path / "test-server"),
        data_converter=CONVERTER,
    )
    async with env:
        yield env


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return ensure_keys(tmp_path_factory.mktemp("keys"), "leerp@ec3.invalid")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with everybody in it; each test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "leerp.db"
    made = Database(f"sqlite:///{path}")
    made.migrate()
    import_directory(made, cast.directory(), by="test")
    made.close()
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def home(
    clock: WorkflowEnvironment, keys: Keys, template: Path, tmp_path: Path
) -> AsyncIterator[House]:
    """A house with a directory of one or two desks of every class."""
    shutil.copy(template, tmp_path / "leerp.db")
    database = Database(f"sqlite:///{tmp_path / 'leerp.db'}")
    async with house(clock, tmp_path, database, keys) as made:
        yield made
    database.close()
