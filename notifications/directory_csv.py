"""The directory as CSV, UTF-8: what spreadsheets open, and what must not become a formula there.

A cell that a spreadsheet would take for a formula gets an apostrophe in front on the way out, and loses
it on the way in. Source: R25.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from notifications.directory import Recipient
from notifications.directory_document import INVALID
from notifications.directory_rows import (
    COLUMNS,
    Row,
    example_row,
    require_columns,
    rows_of,
    wrong,
)
from protocol.errors import Refused

MOST_ROWS = 100_000
MOST_IN_A_CELL = 200_000
FORMULA = ("=", "+", "-", "@")
_PHONE = re.compile(r"\+[0-9 ()/.-]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def write_csv(recipients: Sequence[Recipient]) -> str:
    """Headings and a row for each contact point."""
    return _write(rows_of(recipients))


def csv_template() -> str:
    """Headings, and one row as an example."""
    return _write([example_row(COLUMNS)])


def read_csv(text: str) -> list[Row]:
    """The rows of a file; their numbers count records from 1, which is the headings.

    Raises:
        Refused: ``directory-invalid``: no headings, a formula, a control character, or too much.
    """
    csv.field_size_limit(MOST_IN_A_CELL)
    lines = text.removeprefix("\ufeff")
    records = csv.reader(io.StringIO(lines, newline=""), delimiter=_delimiter(lines), strict=True)
    rows: list[Row] = []
    names: list[str] = []
    try:
        for number, record in enumerate(records, start=1):
            if not names:
                names = [cell.strip() for cell in record]
                require_columns(names, COLUMNS)
            elif any(cell.strip() for cell in record):
                rows.append(_row(number, names, record))
            if number > MOST_ROWS:
                raise Refused(INVALID, f"more than {MOST_ROWS} rows: this is no directory")
    except csv.Error as exc:
        raise Refused(INVALID, f"line {records.line_num}: not readable as CSV ({exc})") from None
    if not names:
        raise Refused(INVALID, "the file is empty: see 'leerp directory template'")
    return rows


def _write(rows: Sequence[dict[str, str]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, fieldnames=[column.name for column in COLUMNS])
    writer.writeheader()
    writer.writerows({name: _guarded(cell) for name, cell in row.items()} for row in rows)
    return buffer.getvalue()


def _delimiter(text: str) -> str:
    """Spreadsheets of many countries write semicolons."""
    heading = text.partition("\n")[0]
    return ";" if heading.count(";") > heading.count(",") else ","


def _row(number: int, names: Sequence[str], record: Sequence[str]) -> Row:
    if any(cell.strip() for cell in record[len(names) :]):
        raise Refused(INVALID, f"row {number}: more cells than there are headings in row 1")
    cells = {}
    for name, cell in zip(names, record, strict=False):
        if _CONTROL.search(cell):
            raise wrong(number, name, "holds a control character: remove it")
        if cell.startswith(FORMULA) and not _harmless(name, cell):
            raise wrong(number, name, "begins like a formula: put an apostrophe in front (')")
        cells[name] = _bare(cell)
    return Row(number=number, cells=cells)


def _harmless(name: str, cell: str) -> bool:
    """Telephone numbers and keys may stand as people write and export them."""
    return cell.startswith("-----BEGIN") or bool(name == "phone" and _PHONE.fullmatch(cell))


def _guarded(cell: str) -> str:
    return f"'{cell}" if _like_a_formula(cell) else cell


def _bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _like_a_formula(cell[1:]) else cell


def _like_a_formula(cell: str) -> bool:
    return cell.lstrip("'").startswith(FORMULA)
