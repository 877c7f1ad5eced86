"""Many rows and many keys at once, by the quickest way that each database has.

SQLAlchemy builds a dictionary for every row and a result for every statement, which cost more than the
insert itself; here rows are tuples that go to the driver as they are. Values must already be in the form
of the column: texts of JSON for JSON, ``Bulk.time`` for times. Source: reliability 1.4, 1.5b.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from psycopg import sql
from sqlalchemy import Column, ColumnElement, Connection, Table, any_, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

_encode = msgspec.json.Encoder().encode


class Bulk:
    """Bulk statements within the transaction of ``connection``, which has begun."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    def time(self, moment: datetime) -> Any:
        """``moment``, aware, as a value for a column of times."""
        if not self._is_sqlite:
            return moment
        utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        return utc.isoformat(" ", "microseconds")[:-6]  # without "+00:00"

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert ``rows``, each with a value for every one of ``columns``, in their order."""
        if not rows:
            return
        if self._is_sqlite:
            names = ", ".join(f'"{name}"' for name in columns)
            places = ", ".join("?" * len(columns))
            self._each_of(f"INSERT INTO {table.name} ({names}) VALUES ({places})", rows)  # noqa: S608
            return
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with (
            self._as_sqlalchemy("COPY"),
            self._driver.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def update(
        self,
        table: Table,
        columns: Sequence[str],
        keys: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        """Set ``columns`` where ``keys`` are; each of ``rows`` has the values of both, in this order."""
        if rows:
            self._each_of(
                f"UPDATE {table.name} SET {self._equal(columns, ', ')}"  # noqa: S608
                f" WHERE {self._equal(keys, ' AND ')}",
                rows,
            )

    def lock(
        self, table: Table, columns: Sequence[str], key: str, values: Collection[Any]
    ) -> list[tuple[Any, ...]]:
        """``columns`` of the rows whose ``key`` is among ``values``; they stay so in this transaction."""
        if not values:
            return []
        names = ", ".join(f'"{name}"' for name in columns)
        if self._is_sqlite:  # nobody else writes there
            among = f"IN ({', '.join('?' * len(values))})"
            given: tuple[Any, ...] = tuple(values)
        else:
            among, given = "= ANY(%s) FOR UPDATE", (list(values),)
        statement = f'SELECT {names} FROM {table.name} WHERE "{key}" {among}'  # noqa: S608
        with self._as_sqlalchemy(statement):
            cursor = self._driver.cursor()
            cursor.execute(statement, given)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def delete(self, table: Table, keys: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Delete where ``keys`` have the values of one of ``rows``."""
        if rows:
            self._each_of(
                f"DELETE FROM {table.name} WHERE {self._equal(keys, ' AND ')}",  # noqa: S608
                rows,
            )

    def put(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert ``rows``, or change the other columns of those whose primary key is there."""
        dialect = sqlite if self._is_sqlite else postgresql
        statement = dialect.insert(table)
        keys = list(table.primary_key.columns)
        others = {c.name: statement.excluded[c.name] for c in table.c if not c.primary_key}
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=others), list(rows)
        )

    def among(self, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """The condition that ``column`` is one of ``values``, however many; one parameter."""
        if self._is_sqlite:
            return column.in_(select(self.members(values, column)))
        array = literal(list(values), postgresql.ARRAY(column.type))
        return column == any_(array)

    def members(self, values: Collection[Any], like: Column[Any]) -> ColumnElement[Any]:
        """``values``, of the type of the column ``like``, as the one column of a table to select from."""
        if self._is_sqlite:
            return func.json_each(_encode(list(values)).decode()).table_valued("value").c.value
        return func.unnest(literal(list(values), postgresql.ARRAY(like.type))).column_valued()

    def next_number(self, column: Column[int]) -> int:
        """One more than the largest number in use; for a table that one writer adds to at a time."""
        return (self._connection.scalar(select(func.max(column))) or 0) + 1

    def _equal(self, columns: Sequence[str], between: str) -> str:
        place = "?" if self._is_sqlite else "%s"
        return between.join(f'"{name}" = {place}' for name in columns)

    def _each_of(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with self._as_sqlalchemy(statement):
            self._driver.cursor().executemany(statement, rows)

    @property
    def _driver(self) -> Any:
        return self._connection.connection.driver_connection

    @contextmanager
    def _as_sqlalchemy(self, statement: str) -> Iterator[None]:
        """What the driver raises comes out as SQLAlchemy's error of that kind, without the values."""
        base = self._connection.dialect.loaded_dbapi.Error
        try:
            yield
        except base as error:
            raise DBAPIError.instance(
                statement, None, error, base, hide_parameters=True, dialect=self._connection.dialect
            ) from error
