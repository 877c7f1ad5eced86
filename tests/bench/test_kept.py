"""The control keeps what it is given, with its position, on both databases."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from infra.settings import KafkaSettings
from leerp.bench.ground import Ground
from leerp.bench.kept import kept_in
from leerp.bench.watch import Watch
from tests.conftest import DATABASES


@pytest.fixture(params=DATABASES)
def server(request: pytest.FixtureRequest) -> str:
    """Of PostgreSQL, or nothing for SQLite."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres"))


@pytest.mark.asyncio
async def test_rows_and_position_are_stored_together_and_the_home_is_gone_afterwards(
    server: str, tmp_path: Path
) -> None:
    ground = Ground(tmp_path, KafkaSettings(), 0, postgres=server)
    for _ in range(2):
        async with ground.home() as home:
            with closing(kept_in(home.url)) as kept:
                kept.make()
                kept.keep([(b"a", b"body"), (b"b", b"body")], {("topic", 3): 2})
                kept.keep([(b"c", b"body")], {("topic", 3): 3, ("topic", 0): 1})
            with closing(Watch(home.url)) as watch:
                assert watch.positions() == {("topic", 3): 3, ("topic", 0): 1}
        assert not home.folder.exists()
