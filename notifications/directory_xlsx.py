"""The directory as a spreadsheet (.xlsx): sheets ``recipients`` and ``officers``, all cells text.

What comes in is somebody else's file: formulas, macros, XML with a document type, and archives that grow
beyond measure are refused before anything is parsed. Source: R25.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils.exceptions import (
    CellCoordinatesException,
    IllegalCharacterError,
    InvalidFileException,
)

from notifications.directory_csv import MOST_ROWS
from notifications.directory_document import INVALID, DirectoryDocument
from notifications.directory_rows import (
    COLUMNS,
    OFFICER,
    Column,
    Row,
    example_row,
    officer_rows,
    require_columns,
    rows_of,
    wrong,
)
from protocol.errors import Refused

MOST_BYTES_UNPACKED = 60_000_000
MOST_MEMBERS = 500
MOST_IN_A_CELL = 32_767
"""Of the format itself; the library cuts off what is longer without a word."""
UNREADABLE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, SyntaxError),
    *(TypeError, ValueError, zipfile.BadZipFile, zlib.error),
    *(CellCoordinatesException, InvalidFileException),
)
"""What the library and its parts raise over a file that says what no spreadsheet can."""
RECIPIENTS, OFFICERS = "recipients", "officers"


def write_xlsx(document: DirectoryDocument) -> bytes:
    """Both sheets.

    Raises:
        Refused: ``too-long``, a key does not fit into a cell.
    """
    return _write(rows_of(document.recipients), officer_rows(document.officers))


def xlsx_template() -> bytes:
    """Both sheets with one row each as an example, and a third that says what the columns mean."""
    return _write([example_row(COLUMNS)], [example_row(OFFICER)], explained=True)


def read_xlsx(data: bytes) -> tuple[list[Row], list[Row] | None]:
    """The rows of both sheets; None where there is no sheet of officers.

    Raises:
        Refused: ``directory-invalid``: no spreadsheet, or a hostile one.
    """
    _require_harmless(data)
    try:
        book = load_workbook(io.BytesIO(data), data_only=False, keep_links=False)
    except UNREADABLE as exc:
        raise Refused(INVALID, f"not readable as a spreadsheet ({type(exc).__name__})") from None
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if not sheets:
        raise Refused(INVALID, "the spreadsheet has no sheet: see 'leerp directory template'")
    recipients = sheets.get(RECIPIENTS) or next(iter(sheets.values()))
    officers = None
    if OFFICERS in sheets:
        officers = _rows(sheets[OFFICERS], OFFICER, where="sheet officers, ")
    return _rows(recipients, COLUMNS), officers


def _require_harmless(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS or (
                sum(member.file_size for member in members) > MOST_BYTES_UNPACKED
            ):
                raise Refused(INVALID, "the spreadsheet is packed too tightly or is too large")
            for member in members:
                _require_harmless_member(member.filename, archive.read(member))
    except UNREADABLE as exc:
        raise Refused(INVALID, f"no .xlsx file ({type(exc).__name__}): save it as .xlsx") from None


def _require_harmless_member(name: str, content: bytes) -> None:
    if name.casefold().endswith((".bin", ".vml")) and "vba" in name.casefold():
        raise Refused(INVALID, "the spreadsheet holds macros: save it as .xlsx without them")
    if not name.casefold().endswith((".xml", ".rels", ".vml")):
        return
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\x00" in content[:64]:
        raise Refused(INVALID, f"{name} in the spreadsheet is not UTF-8: save it anew")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise Refused(INVALID, f"{name} in the spreadsheet has a document type, which none needs")


def _rows(sheet: Any, columns: Sequence[Column], *, where: str = "") -> list[Row]:
    if sheet.max_row > MOST_ROWS or sheet.max_column > len(columns) * 2:
        raise Refused(INVALID, f"{where}more rows or columns than a directory can have")
    names: list[str] = []
    rows = []
    for number, record in enumerate(sheet.iter_rows(), start=1):
        texts = [
            _text(cell, number, names[place] if place < len(names) else str(place + 1))
            for place, cell in enumerate(record)
        ]
        if not names:
            names = [text.strip() for text in texts]
            while names and not names[-1]:
                names.pop()
            require_columns(names, columns, where=where)
        elif any(text.strip() for text in texts[len(names) :]):
            raise Refused(INVALID, f"{where}row {number}: more cells than headings in row 1")
        elif any(text.strip() for text in texts):
            rows.append(Row(number=number, cells=dict(zip(names, texts, strict=False))))
    return rows


def _text(cell: Any, row: int, column: str) -> str:
    if cell.data_type == "f":
        raise wrong(row, column, "holds a formula: paste the value instead")
    match cell.value:
        case None:
            return ""
        case bool():
            return "yes" if cell.value else "no"
        case int() | str():
            return str(cell.value)
        case _:
            raise wrong(row, column, "holds a number, date or time: format the column as text")


def _write(
    recipients: Sequence[dict[str, str]],
    officers: Sequence[dict[str, str]],
    *,
    explained: bool = False,
) -> bytes:
    book = Workbook()
    book.remove(book.active)
    _fill(book.create_sheet(RECIPIENTS), COLUMNS, recipients)
    _fill(book.create_sheet(OFFICERS), OFFICER, officers)
    if explained:
        sheet = book.create_sheet("columns")
        for column in COLUMNS:
            sheet.append([column.name, column.help])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _fill(sheet: Any, columns: Sequence[Column], rows: Sequence[dict[str, str]]) -> None:
    for place, column in enumerate(columns, start=1):
        sheet.cell(1, place, column.name).font = Font(bold=True)
        for number, row in enumerate(rows, start=2):
            text = row[column.name]
            if not text:
                continue
            if len(text) > MOST_IN_A_CELL:
                raise Refused(
                    "too-long",
                    f"{row.get('id', '')}: {column.name} does not fit into a cell: export as CSV or JSON",
                )
            cell = sheet.cell(number, place)
            try:
                cell.value = text
            except IllegalCharacterError:
                raise Refused("unwritable", f"{row['id']}: {column.name} fits no sheet") from None
            cell.data_type = "s"  # never a formula, whatever it begins with
            cell.number_format = "@"
            cell.alignment = Alignment(vertical="top")
    sheet.freeze_panes = "A2"
