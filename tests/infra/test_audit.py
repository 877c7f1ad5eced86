"""The audit chain: whatever is done to it behind our back is found, and the row is named."""

from __future__ import annotations

import json
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from infra import audit
from infra.database import Database
from infra.tables import relay
from protocol.errors import ServiceDown

pytestmark = pytest.mark.requirement("R1")

ROWS = 6


def chain(database: Database, rows: int = ROWS) -> None:
    with database.write() as connection:
        for number in range(1, rows + 1):
            audit.append(connection, "stage_entered", actor="ana", subject=f"inc-{number}")


def verified(database: Database) -> audit.Verification:
    with database.read() as connection:
        return audit.verify(connection)


def tamper(database: Database, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Write as somebody does who has the file."""
    with sqlite3.connect(str(database.engine.url.database)) as connection:
        for statement in statements:
            connection.execute(statement, values)
    connection.close()


def forged(n: int, previous: str, content: bytes = b"{}") -> tuple[object, ...]:
    return (n, previous, content, audit.row_hash(n, previous, content))


def hash_of(database: Database, n: int) -> str:
    with database.read() as connection:
        return next(str(row["hash"]) for row in audit.export(connection) if row["n"] == n)


def test_an_untouched_chain_verifies_and_counts_its_rows(database: Database) -> None:
    assert verified(database) == audit.Verification(rows=0)
    chain(database)
    assert verified(database) == audit.Verification(rows=ROWS)
    assert verified(database).verified


def test_a_chain_longer_than_a_page_verifies_whole_and_its_last_page_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    chain(database)
    assert verified(database).rows == ROWS
    tamper(database, "UPDATE audit_row SET content = x'00' WHERE n = 5")
    assert verified(database).bad_row == 5


EDITS = {
    "content edited": (
        "UPDATE audit_row SET content = replace(content, 'ana', 'bob') WHERE n = 3",
        3,
    ),
    "content made text": ("UPDATE audit_row SET content = CAST(content AS TEXT) WHERE n = 3", 3),
    "previous altered": ("UPDATE audit_row SET previous = hex(zeroblob(32)) WHERE n = 3", 3),
    "hash altered": ("UPDATE audit_row SET hash = hex(zeroblob(32)) WHERE n = 3", 3),
    "first removed": ("DELETE FROM audit_row WHERE n = 1", 1),
    "middle removed": ("DELETE FROM audit_row WHERE n = 3", 3),
    "last removed": ("DELETE FROM audit_row WHERE n = 6", 6),
    "all removed": ("DELETE FROM audit_row", 1),
    "number altered": ("UPDATE audit_row SET n = 99 WHERE n = 4", 4),
    "head set back": ("UPDATE audit_head SET n = 5", 6),
    "head with another hash": ("UPDATE audit_head SET hash = hex(zeroblob(32))", 6),
    "head removed": ("DELETE FROM audit_head", 7),
}


@pytest.mark.parametrize(("statement", "bad_row"), EDITS.values(), ids=EDITS.keys())
def test_what_was_edited_or_removed_is_found_and_the_first_bad_row_is_named(
    database: Database, statement: str, bad_row: int
) -> None:
    chain(database)
    tamper(database, statement)
    found = verified(database)
    assert not found.verified
    assert found.bad_row == bad_row
    assert found.rows == bad_row - 1
    assert (f"row {bad_row} " in found.reason) == (bad_row <= ROWS)


@pytest.mark.parametrize("column", ["n", "content"])
def test_two_swapped_rows_are_found_at_the_first_of_them(database: Database, column: str) -> None:
    chain(database)
    with sqlite3.connect(str(database.engine.url.database)) as connection:
        second, fourth = (
            connection.execute(f"SELECT {column} FROM audit_row WHERE n = ?", (n,)).fetchone()[0]  # noqa: S608 (a name out of this file)
            for n in (2, 4)
        )
        for value, n in ((-1, 2), (second, 4), (fourth, -1 if column == "n" else 2)):
            connection.execute(f"UPDATE audit_row SET {column} = ? WHERE n = ?", (value, n))  # noqa: S608
    connection.close()
    assert verified(database).bad_row == 2


@pytest.mark.parametrize(
    ("n", "follows", "bad_row"), [(ROWS + 1, ROWS, ROWS + 1), (0, 0, 0), (-5, 0, -5)]
)
def test_a_row_added_by_hand_is_found_even_when_its_hash_is_right(
    database: Database, n: int, follows: int, bad_row: int
) -> None:
    chain(database)
    previous = hash_of(database, follows) if follows else audit.GENESIS
    row = forged(max(n, 0), previous)
    tamper(database, "INSERT INTO audit_row VALUES (?, ?, ?, ?)", values=(n, *row[1:]))
    assert verified(database).bad_row == bad_row


def test_a_row_made_anew_with_its_own_hash_breaks_the_next(database: Database) -> None:
    chain(database)
    row = forged(3, hash_of(database, 2), b'{"event":"forged"}')
    tamper(database, "DELETE FROM audit_row WHERE n = 3")
    tamper(database, "INSERT INTO audit_row VALUES (?, ?, ?, ?)", values=row)
    found = verified(database)
    assert (found.bad_row, found.reason) == (4, "row 4 does not follow row 3")


@pytest.fixture(scope="module")
def long_chain(tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('audit') / 'leerp.db'}")
    made.migrate()
    chain(made)
    return made


@settings(max_examples=150)
@given(data=st.data())
def test_any_single_changed_byte_of_what_is_stored_is_found(
    long_chain: Database, data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, ROWS), label="row")
    column = data.draw(st.sampled_from(["content", "hash", "previous"]), label="column")
    with long_chain.write() as connection:
        stored = connection.exec_driver_sql(
            f"SELECT {column} FROM audit_row WHERE n = {n}"  # noqa: S608 (drawn above)
        ).scalar_one()
        text = isinstance(stored, str)
        value = bytearray(stored.encode() if text else stored)
        place = data.draw(st.integers(0, len(value) - 1), label="place")
        others = [b for b in (b"0123456789abcdefF " if text else range(256)) if b != value[place]]
        value[place] = data.draw(st.sampled_from(others), label="byte")
        changed = bytes(value).decode() if text else bytes(value)
        connection.exec_driver_sql(
            f"UPDATE audit_row SET {column} = ? WHERE n = {n}",  # noqa: S608
            (changed,),
        )
        found = audit.verify(connection)
        connection.rollback()
    assert found.bad_row == n


def test_the_row_is_written_in_the_transaction_of_what_it_records(database: Database) -> None:
    def change() -> None:
        with database.write() as connection:
            connection.execute(insert(relay).values(kind="incident", target="x", done=False))
            audit.append(connection, "stage_entered", actor="ana", subject="x")
            raise RuntimeError("the change fails after all")

    with pytest.raises(RuntimeError):
        change()
    chain(database, 1)
    assert verified(database) == audit.Verification(rows=1)


def test_a_failing_append_takes_the_change_with_it(database: Database) -> None:
    tamper(database, "DELETE FROM audit_head")

    def change() -> None:
        with database.write() as connection:
            connection.execute(insert(relay).values(kind="incident", target="x", done=False))
            audit.append(connection, "stage_entered", actor="ana", subject="x")

    with pytest.raises(ServiceDown, match="leerp audit verify"):
        change()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM relay").scalar_one() == 0


def test_an_exported_row_says_what_happened_by_whom_and_how_it_came_in(database: Database) -> None:
    with database.write() as connection:
        number = audit.append(
            connection, "officer_spoke", actor="ana", subject="inc-1", channel="cli", words=["é"]
        )
    with database.read() as connection:
        (row,) = audit.export(connection)
    assert number == row["n"] == 1
    assert {"officer_spoke", "ana", "inc-1", "cli"} <= {
        row[name] for name in ("event", "actor", "subject", "channel")
    }
    assert row["detail"] == {"words": ["é"]}
    assert row["previous"] == audit.GENESIS


def test_stored_bytes_are_hashed_as_they_are_and_never_written_anew(database: Database) -> None:
    """A content that another serialiser would write otherwise still verifies."""
    content = json.dumps({"b": 1, "a": 2}, indent=3).encode()
    row = forged(1, audit.GENESIS, content)
    tamper(database, "INSERT INTO audit_row VALUES (?, ?, ?, ?)", values=row)
    tamper(database, "UPDATE audit_head SET n = 1, hash = ?", values=(row[3],))
    assert verified(database).verified


def test_a_reader_never_takes_a_chain_that_grows_meanwhile_for_a_broken_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 1)
    chain(database)
    with database.read() as connection:
        assert next(iter(audit.export(connection)))["n"] == 1
        chain(database, 3)
        assert audit.verify(connection) == audit.Verification(rows=ROWS)
    assert verified(database).rows == ROWS + 3
