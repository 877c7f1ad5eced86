from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.settings import KafkaSettings
from tests.conftest import running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaSettings]:
    """One broker for all tests of those who send; what lies there grows."""
    async with running(tmp_path_factory.mktemp("kafka")) as settings:
        yield settings.kafka
