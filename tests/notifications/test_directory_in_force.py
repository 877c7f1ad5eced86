"""The directory in force is read once for each version, whoever asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import event

from infra.database import Database
from notifications.directory import Recipient
from notifications.directory_import import import_directory
from notifications.directory_in_force import DirectoryInForce
from notifications.directory_proposals import confirm
from protocol.errors import NotFound
from tests.notifications.samples import contact, directory_text, make_database, recipient

RANGES = 4


def test_ranges_that_begin_at_once_read_a_version_once(tmp_path: Path) -> None:
    home = make_database(tmp_path, [recipient()])
    in_force, together, read = DirectoryInForce(), Barrier(RANGES), 0

    @event.listens_for(home.engine, "before_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal read
        read += "document" in statement

    def ask(_: int) -> dict[str, Recipient]:
        with home.read() as connection:
            together.wait()
            return in_force.by_id(connection)

    with ThreadPoolExecutor(RANGES) as threads:
        found = list(threads.map(ask, range(RANGES)))
    assert read == 1
    assert [list(each) for each in found] == [["le-poc-1"]] * RANGES


def test_another_version_counts_from_the_next_look_on(tmp_path: Path) -> None:
    home = make_database(tmp_path, [recipient()])
    in_force = DirectoryInForce()

    def desks() -> int:
        with home.read() as connection:
            return len(in_force.by_id(connection)["le-poc-1"].contacts)

    before = desks()
    more = recipient(contacts=(*recipient().contacts, contact(7)))
    made = import_directory(home, directory_text([more]), by="o.admin")
    assert desks() == before
    assert made.proposal is not None
    confirm(home, made.proposal, by="o.one", checked_by="called them back")
    assert desks() == before + 1


def test_without_a_directory_that_is_said(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound, match="leerp directory import"):
        DirectoryInForce().by_id(connection)
