from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select

from infra.database import Database
from infra.group_commit import GroupCommit
from infra.tables import relay

pytestmark = pytest.mark.asyncio


class Writer:
    """Writes a relay row for each target; refuses ``bad``, breaks down over ``broken``."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'leerp.db'}")
        self.database.migrate()
        self.groups: list[int] = []
        self.commits: GroupCommit[str, str] = GroupCommit(self.database, self.apply)

    def apply(self, connection: Connection, items: Sequence[str]) -> list[str | Exception]:
        self.groups.append(len(items))
        results: list[str | Exception] = []
        for item in items:
            if item == "bad":
                results.append(ValueError(item))
                continue
            connection.execute(insert(relay).values(kind="campaign", target=item, done=False))
            if item == "broken":
                raise RuntimeError(item)
            results.append(item.upper())
        return results

    async def submit_all(self, items: list[str]) -> list[str | BaseException]:
        tasks = (self.commits.submit(item) for item in items)
        return await asyncio.gather(*tasks, return_exceptions=True)

    def stored(self) -> int:
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(relay)) or 0


async def test_what_waits_is_written_together_and_each_gets_its_own_result(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    items = [f"item{n}" for n in range(100)]
    assert await writer.submit_all(items) == [item.upper() for item in items]
    assert writer.stored() == 100
    assert len(writer.groups) < 10


async def test_a_refused_item_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    first, bad, last = await writer.submit_all(["a", "bad", "b"])
    assert (first, last) == ("A", "B")
    assert isinstance(bad, ValueError)
    assert writer.stored() == 2


async def test_a_group_that_breaks_writes_nothing_and_tells_everybody(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    results = await writer.submit_all(["a", "broken", "b"])
    assert all(isinstance(result, RuntimeError) for result in results)
    assert writer.stored() == 0
    assert await writer.commits.submit("c") == "C"


async def test_an_item_whose_submitter_was_cancelled_is_still_written(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    impatient = writer.commits.submit("a")
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert await writer.commits.submit("b") == "B"
    assert writer.stored() == 2
