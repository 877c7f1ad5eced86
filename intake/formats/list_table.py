"""A text as a table: its delimiter, its header, its rows within the limits."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from intake.formats.list_columns import Column, Use, column_of
from intake.formats.prose import kind_of_word
from intake.texts import TextDocument
from protocol.errors import RejectedReport

_DELIMITERS = ",;\t|"
_HEADER_LENGTH = 20_000
_FEED_INDEX_ROW = re.compile(r"[0-9a-f]{32},[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Where the rows begin, and what each column holds."""

    delimiter: str
    start: int
    """Characters before the first row."""
    columns: tuple[Column | None, ...]
    unknown: tuple[str, ...]
    """Names of columns that are not known."""
    comments: tuple[str, ...]

    def rows(self, document: TextDocument) -> Iterator[list[str]]:
        """The rows in their order, without comments and empty ones.

        Raises:
            RejectedReport: ``bad-csv``, ``too-many-rows``, ``too-many-columns`` or
                ``cell-too-long``.
        """
        limits = document.limits
        stream = io.StringIO(document.text[self.start :], newline="")
        reader = csv.reader(stream, delimiter=self.delimiter, skipinitialspace=True)
        count = 0
        while (row := _next(reader)) is not None:
            if not any(cell.strip("-: ") for cell in row) or row[0].lstrip().startswith("#"):
                continue
            count += 1
            if count > limits.max_rows:
                raise RejectedReport(
                    "too-many-rows", f"the table has more than the {limits.max_rows} rows accepted"
                )
            if len(row) > limits.max_columns:
                raise RejectedReport(
                    "too-many-columns",
                    f"row {count} has more than the {limits.max_columns} columns accepted",
                )
            if any(len(cell) > limits.max_cell_length for cell in row):
                raise RejectedReport(
                    "cell-too-long",
                    f"a cell of row {count} is longer than the {limits.max_cell_length} characters"
                    " accepted",
                )
            yield row


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        raise RejectedReport(
            "bad-csv", "the table cannot be read: a quotation mark is opened and never closed"
        ) from None


def table_of(document: TextDocument) -> Table | None:
    """The text as a table, None if no row at its beginning names a column of indicators.

    The header is the first line that is no comment, or the last comment before it.
    """
    at = 0
    comments: list[str] = []
    for line in document.text.splitlines(keepends=True):
        if line.strip() and not line.lstrip().startswith("#"):
            table = _table(line, at + len(line), comments)
            return table or (_table(comments[-1], at, comments[:-1]) if comments else None)
        if line.strip():
            comments.append(line.strip())
        at += len(line)
    return None


def _table(header: str, start: int, comments: list[str]) -> Table | None:
    header = header.strip().removeprefix("#").strip()
    if len(header) > _HEADER_LENGTH:
        return None
    best: tuple[str, list[str]] = ("", [])
    for delimiter in _DELIMITERS:
        try:
            cells = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            continue
        if _known(cells) > _known(best[1]):
            best = (delimiter, cells)
    delimiter, cells = best
    columns = tuple(column_of(cell) for cell in cells)
    if not any(column and column.use is Use.INDICATOR for column in columns):
        return None
    if any(kind_of_word(cell.strip()) for cell in cells):  # a row such as 192.0.2.1:80,ip:port
        return None
    return Table(
        delimiter=delimiter,
        start=start,
        columns=columns,
        unknown=tuple(
            cell.strip() for cell, column in zip(cells, columns, strict=True) if not column
        ),
        comments=tuple(comments),
    )


def _known(cells: list[str]) -> int:
    return sum(column_of(cell) is not None for cell in cells)


def is_feed_index(document: TextDocument) -> bool:
    """Whether it is ``hashes.csv`` of a MISP feed: hashes of values, which are no indicators."""
    lines = document.text.strip().split("\n", maxsplit=3)[:3]
    return all(_FEED_INDEX_ROW.fullmatch(line.strip()) for line in lines)
