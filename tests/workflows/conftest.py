"""The clock that all workflow tests share, and the house that each of them gets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from infra.keys import Keys, ensure_keys
from tests.workflows.house import House, house, make_template, time_skipping

Build = Callable[[Path], AbstractAsyncContextManager[House]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def clock() -> AsyncIterator[WorkflowEnvironment]:
    async with time_skipping() as env:
        yield env


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return ensure_keys(tmp_path_factory.mktemp("keys"), "leerp@ec3.invalid")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def build(clock: WorkflowEnvironment, keys: Keys, template: Path) -> Build:
    """Builds a house in an empty folder."""
    return lambda folder: house(clock, folder, template, keys)


@pytest_asyncio.fixture(loop_scope="session")
async def home(build: Build, tmp_path: Path) -> AsyncIterator[House]:
    """A house with a directory of one or two desks of every class."""
    async with build(tmp_path) as made:
        yield made
