"""Services that all faults share, and the two scales: ``pytest --long`` is the long one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import running
from tests.faults.ground import Ground, Services, ground_at, services_of
from tests.faults.scale import LONG, SHORT, Scale

LONG_SECONDS = 3_600
Grounds = Callable[..., Awaitable[Ground]]


def scale_of(config: pytest.Config) -> Scale:
    return LONG if config.getoption("--long") else SHORT


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test here is one of faults; in the long form each may take an hour."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)
            if config.getoption("--long"):
                item.add_marker(pytest.mark.timeout(LONG_SECONDS))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``seed`` is repeated, in the long form twenty times."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(scale_of(metafunc.config).repetitions))


@pytest.fixture
def scale(request: pytest.FixtureRequest) -> Scale:
    return scale_of(request.config)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    async with running(tmp_path_factory.mktemp("faults") / "home") as settings:
        found = services_of(settings)
        yield found
        for victim in (found.broker, found.temporal):
            victim.put_away()


@pytest_asyncio.fixture
async def grounds(services: Services, tmp_path: Path) -> AsyncIterator[Grounds]:
    """Makes a ground of the test's own, with settings of intake."""
    made: list[Ground] = []

    async def make(**intake: object) -> Ground:
        ground = await ground_at(services, tmp_path / str(len(made)), tmp_path.name, **intake)
        made.append(ground)
        return ground

    yield make
    for ground in made:
        ground.database.close()
