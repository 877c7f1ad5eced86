"""Statements in the driver's own words, on every database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from infra.bulk import Bulk
from infra.database import Database
from infra.tables import officer


def officers(database: Database) -> None:
    rows: list[dict[str, Any]] = [
        {"id": name, "name": name.title(), "organisation": "a", "roles": []}
        for name in ("ana", "bob", "eve")
    ]
    with database.write() as connection:
        connection.execute(insert(officer), rows)


def test_rows_are_found_by_any_number_of_keys_in_the_drivers_words(any_database: Database) -> None:
    officers(any_database)
    with any_database.write() as connection:
        bulk = Bulk(connection)
        found = bulk.lock(officer, ("id", "name"), "id", {"ana", "eve", "nobody"})
        assert sorted(found) == [("ana", "Ana"), ("eve", "Eve")]
        assert bulk.lock(officer, ("id",), "id", ()) == []


def test_an_error_of_the_driver_comes_out_as_sqlalchemys_and_undoes_all(
    any_database: Database,
) -> None:
    officers(any_database)
    both = [("bob", "Bob"), ("bob", "Ana")]
    with pytest.raises(IntegrityError) as caught, any_database.write() as connection:
        Bulk(connection).update(officer, ("id",), ("name",), [("new", "Eve"), *both])
    assert "Bob" not in str(caught.value)
    with any_database.read() as connection:
        assert set(connection.scalars(select(officer.c.id))) == {"ana", "bob", "eve"}
