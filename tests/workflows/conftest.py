"""The clock that all workflow tests share, and the house that each of them gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from infra.keys import Keys, ensure_keys
from tests.workflows.house import (
    RETRY_AFTER,
    House,
    house,
    make_template,
    skips_time,
    time_skipping,
)


@dataclass
class Houses:
    """Builds houses, one after the other, on one test server for as long as that is sound."""

    template: Path
    keys: Keys
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _clock: WorkflowEnvironment | None = None

    @asynccontextmanager
    async def built(
        self, folder: Path, *, retry_after: timedelta = RETRY_AFTER, renew_after: int = 4_000
    ) -> AsyncIterator[House]:
        """A house in an empty folder, with a directory of one or two desks of every class."""
        if self._clock is None:
            self._clock = await self._stack.enter_async_context(time_skipping())
        sound = False
        try:
            async with house(
                self._clock,
                folder,
                self.template,
                self.keys,
                retry_after=retry_after,
                renew_after=renew_after,
            ) as made:
                yield made
            sound = await skips_time(self._clock)
        finally:
            if not sound:
                await self.demolish()

    async def demolish(self) -> None:
        """Stop the server; the next house gets a new one."""
        self._clock = None
        await self._stack.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def houses(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Houses]:
    template = make_template(tmp_path_factory.mktemp("template"))
    made = Houses(template, ensure_keys(tmp_path_factory.mktemp("keys"), "leerp@ec3.invalid"))
    yield made
    await made.demolish()


@pytest_asyncio.fixture(loop_scope="session")
async def home(houses: Houses, tmp_path: Path) -> AsyncIterator[House]:
    async with houses.built(tmp_path) as made:
        yield made
