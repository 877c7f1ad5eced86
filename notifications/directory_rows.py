"""The directory as rows of a table: one column a field, one row a contact point.

Rows of one organisation have the same id and stand in the order in which to try its contacts; what is
said of the organisation stands in its first row. Source: R25, R72.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from notifications.directory import Contact, Officer, Recipient
from notifications.directory_document import INVALID
from protocol.errors import Refused
from protocol.markings import Classification
from protocol.wording import Location, dotted

Cells = Mapping[str, str]


class Kind(Enum):
    """How a field is written in a cell."""

    TEXT = "text"
    LINES = "one a line of the cell"
    WORDS = "separated by spaces"
    YES_NO = "yes or no"
    LEVEL = "a classification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its heading, the field it holds, and what to write there."""

    name: str
    field: str
    kind: Kind = Kind.TEXT
    example: str = ""
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file: its number as the file's program shows it, and its cells by column name."""

    number: int
    cells: Cells


_LEVELS = f"one of {', '.join(level.name for level in Classification)}"

ORGANISATION = (
    Column(name="id", field="id", example="le-poc-xx", help="the same in each row of the organisation"),
    Column(name="class", field="recipient_class", example="le-poc", help="class of recipients"),
    Column(name="organisation", field="organisation", example="Police of Exampleland", help="name"),
    Column(name="country", field="country", example="XX", help="ISO 3166-1 alpha-2, or empty"),
    Column(name="clearance", field="clearance", kind=Kind.LEVEL, example="BPL", help=_LEVELS),
    Column(name="may_receive_up_to", field="may_receive_up_to", example="AMBER", help="strictest TLP"),
    Column(name="transfer_agreement", field="transfer_agreement", kind=Kind.YES_NO, example="no",
           help="yes or no: a basis in law for operational data outside the EU"),
    Column(name="principals", field="principals", kind=Kind.LINES, example="User:police-xx",
           help="names under which it reports, one a line of the cell"),
    Column(name="value_to_investigation", field="value_to_investigation",
           help="why a private partner is told (R26)"),
)  # fmt: skip
CONTACT = (
    Column(name="contact", field="name", example="Duty desk", help="name of the contact point"),
    Column(name="email", field="email", example="duty@police.example", help="address"),
    Column(name="phone", field="phone", example="+32 2 555 12 12", help="with the country's code"),
    Column(name="hours", field="hours", example="mon-fri 08:00-18:00",
           help="in its time zone; empty is round the clock"),
    Column(name="time_zone", field="time_zone", example="Europe/Brussels", help="IANA name"),
    Column(name="languages", field="languages", kind=Kind.WORDS, example="fr en",
           help="ISO 639-1, the preferred one first"),
    Column(name="contact_clearance", field="clearance", kind=Kind.LEVEL,
           help="where it differs from the organisation's"),
    Column(name="accredited_up_to", field="accredited_up_to", kind=Kind.LEVEL, example="BPL",
           help="what its mail channel is accredited for"),
    Column(name="requiretls", field="requiretls", kind=Kind.YES_NO, example="no", help="yes or no"),
    Column(name="nudges", field="nudges", kind=Kind.LINES,
           help="apprise addresses, one a line of the cell"),
    Column(name="certificate", field="certificate", help="X.509 in PEM"),
    Column(name="openpgp_key", field="openpgp_key", help="OpenPGP certificate, ASCII armoured"),
)  # fmt: skip
OFFICER = (
    Column(name="id", field="id", example="a.example", help="as in --as"),
    Column(name="name", field="name", example="A. Example", help="name"),
    Column(name="organisation", field="organisation", example="EC3", help="name"),
    Column(name="roles", field="roles", kind=Kind.WORDS, example="duty-manager duty-officer",
           help="separated by spaces"),
)  # fmt: skip
COLUMNS = ORGANISATION + CONTACT


def rows_of(recipients: Iterable[Recipient]) -> list[dict[str, str]]:
    """A row for each contact, with every column."""
    blank = dict.fromkeys((column.name for column in ORGANISATION), "")
    rows = []
    for recipient in recipients:
        own = _cells(ORGANISATION, recipient)
        for number, contact in enumerate(recipient.contacts):
            first = own if number == 0 else {**blank, "id": recipient.id}
            rows.append({**first, **_cells(CONTACT, contact)})
    return rows


def officer_rows(officers: Iterable[Officer]) -> list[dict[str, str]]:
    """A row for each officer."""
    return [_cells(OFFICER, officer) for officer in officers]


def example_row(columns: Sequence[Column]) -> dict[str, str]:
    """The row of a template."""
    return {column.name: column.example for column in columns}


class Reading:
    """Rows on their way to the values of a document; it knows which row each value came from."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._first: list[Row] = []
        self._contacts: list[list[Row]] = []
        self.recipients: list[dict[str, Any]] = []
        places: dict[str, int] = {}
        for row in rows:
            name = row.cells.get("id", "")
            if not name:
                raise wrong(row.number, "id", "is empty: give the organisation's id in each row")
            if name not in places:
                places[name] = len(self.recipients)
                self._first.append(row)
                self._contacts.append([])
                self.recipients.append({**_values(ORGANISATION, row), "contacts": []})
            place = places[name]
            self._same_organisation(row, self._first[place])
            self._contacts[place].append(row)
            self.recipients[place]["contacts"].append(_values(CONTACT, row))

    def place(self, location: Location) -> str:
        """``row 7, column email`` for the place of an error in the document."""
        match location:
            case ["recipients", int(index), "contacts", int(number), str(field), *_]:
                row = self._contacts[index][number].number
                return f"row {row}, column {_column(CONTACT, field)}"
            case ["recipients", int(index), str(field), *_]:
                return f"row {self._first[index].number}, column {_column(ORGANISATION, field)}"
            case ["recipients", int(index)]:
                numbers = [row.number for row in self._contacts[index]]
                return f"row {numbers[0]}" + (f" to {numbers[-1]}" if len(numbers) > 1 else "")
            case _:
                return dotted(location)

    def _same_organisation(self, row: Row, first: Row) -> None:
        for column in ORGANISATION:
            said = row.cells.get(column.name, "")
            if said and said != first.cells.get(column.name, ""):
                raise wrong(
                    row.number,
                    column.name,
                    f"is not what row {first.number} says of the same id: leave it empty here",
                )


def read_officers(rows: Sequence[Row]) -> tuple[list[dict[str, Any]], Callable[[Location], str]]:
    """The values of officers, and the words for the place of an error in them."""

    def place(location: Location) -> str:
        match location:
            case ["officers", int(index), *field]:
                name = _column(OFFICER, str(field[0])) if field else "id"
                return f"sheet officers, row {rows[index].number}, column {name}"
            case _:
                return dotted(location)

    return [_values(OFFICER, row) for row in rows], place


def require_columns(named: Sequence[str], columns: Sequence[Column], *, where: str = "") -> None:
    """Pass only a heading that names known columns, each once, and those that cannot be missing.

    Raises:
        Refused: ``directory-invalid``; the message says which column and how to get a template.
    """
    known = {column.name for column in columns}
    must = {"id", "class", "organisation", "contact", "email", "name", "roles"} & known
    advice = "see 'leerp directory template'"
    for number, name in enumerate(named, start=1):
        if name not in known:
            raise Refused(INVALID, f"{where}row 1: column {number} is none that is known: {advice}")
    if missing := sorted(must - set(named)):
        raise Refused(INVALID, f"{where}row 1: no column {', '.join(missing)}: {advice}")
    if twice := sorted({name for name in named if list(named).count(name) > 1}):
        raise Refused(INVALID, f"{where}row 1: column {', '.join(twice)} stands there twice")


def wrong(row: int, column: str, words: str) -> Refused:
    """A refusal that names the row and the column; the value is not repeated."""
    return Refused(INVALID, f"row {row}, column {column}: {words}")


def _column(columns: Sequence[Column], field: str) -> str:
    return next((column.name for column in columns if column.field == field), field)


def _cells(columns: Sequence[Column], entry: Recipient | Contact | Officer) -> dict[str, str]:
    return {column.name: _written(column.kind, getattr(entry, column.field)) for column in columns}


def _written(kind: Kind, value: Any) -> str:
    match kind:
        case Kind.YES_NO:
            return "yes" if value else "no"
        case Kind.LEVEL:
            return "" if value is None else str(value.name)
        case Kind.LINES:
            return "\n".join(value)
        case Kind.WORDS:
            return " ".join(value)
        case Kind.TEXT:
            return "" if value is None else str(value)


def _values(columns: Sequence[Column], row: Row) -> dict[str, Any]:
    """What the row says; what it leaves empty is left out, so that its default stands."""
    return {
        column.field: _read(column, row)
        for column in columns
        if row.cells.get(column.name, "").strip()
    }


def _read(column: Column, row: Row) -> Any:
    text = row.cells[column.name]
    match column.kind:
        case Kind.YES_NO:
            said = text.strip().casefold()
            if said not in {"yes", "no"}:
                raise wrong(row.number, column.name, "write yes or no")
            return said == "yes"
        case Kind.LEVEL:
            try:
                return Classification[text.strip().upper()]
            except KeyError:
                raise wrong(row.number, column.name, f"write {_LEVELS}") from None
        case Kind.LINES:
            return [line for line in text.splitlines() if line.strip()]
        case Kind.WORDS:
            return text.split()
        case Kind.TEXT:
            return text
