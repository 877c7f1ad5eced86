"""A batch that the database cannot take: kept, told, and settled by itself in the end."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from infra import audit
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.tables import report
from intake.outage import DiskNearlyFull, Insistence, kind_of, pauses, require_room
from intake.status import status_file, told
from tests.e2e.support import until
from tests.intake.samples import content, read_all, store_of

pytestmark = pytest.mark.asyncio

RULES = IntakeSettings(
    outage_alarm=timedelta(milliseconds=100),
    retry_pause=timedelta(milliseconds=10),
    retry_pause_most=timedelta(milliseconds=50),
)


@pytest_asyncio.fixture
async def insistence(database: Database, tmp_path: Path) -> AsyncIterator[Insistence]:
    with status_file(tmp_path) as status:
        yield Insistence(database, RULES, status)


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Somebody else writes, and takes long."""
    with closing(sqlite3.connect(str(database.engine.url.database))) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def state_of(home: Path) -> str:
    return next((str(said["state"]) for said in told(home).values()), "")


async def until_state(home: Path, state: str) -> None:
    await until(lambda: state_of(home) == state)


def stored(database: Database) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(report)) or 0


async def test_a_locked_database_is_told_and_the_batch_is_settled_when_it_is_free(
    database: Database, insistence: Insistence, tmp_path: Path
) -> None:
    batch = read_all([content("a"), content("b")])
    with locked(database):
        work = asyncio.create_task(
            insistence.done(lambda: store_of(database).settle(batch, source="x"), asyncio.Event())
        )
        await until_state(tmp_path, "database-slow")
        assert insistence.interrupted
        assert stored(database) == 0, "a reader is still served, and nothing is there yet"
    settled = await work
    assert settled is not None
    assert (len(settled.stored), stored(database)) == (2, 2)
    assert not insistence.interrupted
    assert state_of(tmp_path) == "ok"
    with database.read() as connection:
        assert [row["event"] for row in audit.export(connection)][-1] == "intake_interrupted"


async def test_a_full_disk_is_told_and_nothing_of_the_batch_is_there_until_there_is_room(
    database: Database, insistence: Insistence, tmp_path: Path
) -> None:
    room = asyncio.Event()
    tries = 0
    batch = read_all([content(f"r-{n}") for n in range(200)])

    def settle() -> int:
        nonlocal tries
        tries += 1
        with database.engine.connect() as connection:
            pages = 2_000_000 if room.is_set() else 1  # the least that it has now
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        return len(store_of(database).settle(batch, source="x").stored)

    work = asyncio.create_task(insistence.done(settle, asyncio.Event()))
    await until_state(tmp_path, "disk-full")
    await until(lambda: tries >= 5)
    assert stored(database) == 0
    room.set()
    assert await work == 200
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


async def test_a_stop_in_the_middle_of_an_outage_gives_the_batch_up(
    insistence: Insistence,
) -> None:
    stop = asyncio.Event()
    stop.set()

    def fails() -> int:
        raise OSError(errno.ENOSPC, "no space")

    assert await insistence.done(fails, stop) is None


async def test_what_is_no_outage_is_raised_at_once(insistence: Insistence) -> None:
    def fails() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await insistence.done(fails, asyncio.Event())


async def test_pauses_grow_to_the_longest_and_no_two_processes_keep_step() -> None:
    rules = RULES.model_copy(update={"retry_pause_most": timedelta(milliseconds=45)})
    ours, theirs = (list(islice(pauses(rules), 8)) for _ in range(2))
    assert ours != theirs
    for pause, longest in zip(ours, (0.01, 0.02, 0.04, *[0.045] * 5), strict=True):
        assert longest / 2 <= pause <= longest


async def test_what_fails_is_tried_until_it_succeeds(insistence: Insistence) -> None:
    tries: list[int] = []

    def fails() -> int:
        tries.append(1)
        if len(tries) < 8:
            raise OSError(errno.ENOSPC, "no space")
        return 8

    assert await insistence.done(fails, asyncio.Event()) == 8


async def test_too_little_room_is_a_full_disk_before_anything_is_written(
    database: Database,
) -> None:
    require_room(database, 1)
    with pytest.raises(DiskNearlyFull) as raised:
        require_room(database, 10**18)
    assert kind_of(raised.value) == "disk-full"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, "database-locked"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "database-locked"),
        (sqlite3.SQLITE_FULL, "disk-full"),
        (sqlite3.SQLITE_IOERR, "database-down"),
    ],
)
async def test_the_state_follows_the_databases_own_code(code: int, kind: str) -> None:
    cause = sqlite3.OperationalError("in words that may change")
    cause.sqlite_errorcode = code
    assert kind_of(OperationalError("INSERT", None, cause)) == kind
