"""Import of sources from a CSV or TOML file: all of it or nothing, and first what it would change.

A row says everything of its source: what it leaves out becomes the default. Sources that the file does
not name stay as they are. Letters are not imported: a person sets each, with a reason.
Source: domain 6.2.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from infra.database import Database
from intake.source_registry import hold, put
from intake.sources import Registered, Source, load_sources
from notifications.authority import Attempt, administrator, attempted
from protocol.errors import Refused
from protocol.wording import MAX_PROBLEMS, Location, in_words

COMMAND = "sources import"
TABLE = "source"
"""Name of the tables of a TOML file: one ``[[source]]`` each."""
_TABLE_HEAD = re.compile(r"^\s*\[\[\s*source\s*\]\]", re.MULTILINE)
_MANY = "also_groups"
"""The field that holds several values; in CSV with spaces between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an import does to one source; ``before`` is None for a new one."""

    before: Source | None
    after: Source

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """Each field that changes, with what it was and what it is to be."""
        new = self.after.row()
        old = self.before.row() if self.before else dict.fromkeys(new)
        return {name: (old[name], new[name]) for name in new if old[name] != new[name]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a file changes in the registry."""

    changes: tuple[Change, ...]
    unchanged: int


def import_sources(
    database: Database, text: str, *, suffix: str, by: str, channel: str = "system"
) -> Plan:
    """Bring the registry to what the file says, in one transaction; a duty-manager does.

    ``suffix`` is the ending of the file's name, ``.csv`` or ``.toml``.

    Raises:
        Refused: ``sources-invalid``, whose message names line and field of each problem (at most 20),
            with nothing written; ``unknown-officer`` or ``wrong-role``.
    """
    attempt = Attempt(officer=by, command=COMMAND, subject="sources", channel=channel)
    with attempted(database, attempt) as connection:
        administrator(connection, by, COMMAND)
        hold(database, connection)
        found = plan(connection, text, suffix=suffix)
        put(connection, [(c.before, c.after) for c in found.changes], by=by, channel=channel)
        return found


def plan(connection: Connection, text: str, *, suffix: str) -> Plan:
    """What ``import_sources`` would do, without doing it.

    Raises:
        Refused: ``sources-invalid``, as there.
    """
    known = {each.source.id: each for each in load_sources(connection, retired=True)}
    wanted = _checked(_rows(text, suffix), known)
    changes = [
        Change(before=known[each.id].source if each.id in known else None, after=each)
        for each in wanted
    ]
    moving = tuple(change for change in changes if change.before != change.after)
    return Plan(changes=moving, unchanged=len(changes) - len(moving))


def _checked(
    rows: Iterator[tuple[str, Mapping[str, Any]]], known: Mapping[str, Registered]
) -> list[Source]:
    """The sources of all rows; every problem is said at once."""
    sources: dict[str, tuple[str, Source]] = {}
    problems: list[str] = []
    for place, row in rows:
        try:
            one = Source.model_validate(row)
        except ValidationError as exc:
            problems.append(in_words(exc, partial(_named, place)))
            continue
        if one.id in sources:
            problems.append(f"{place}, id: {one.id} stands at {sources[one.id][0]} already")
        if one.id in known and known[one.id].retired_at:
            problems.append(
                f"{place}, id: {one.id} is retired: bring it back with 'leerp sources restore'"
            )
        sources[one.id] = (place, one)
    if problems:
        more = f"; and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
        raise _invalid("; ".join(problems[:MAX_PROBLEMS]) + more)
    if not sources:
        raise _invalid("it names no source")
    return [one for _, one in sources.values()]


def _rows(text: str, suffix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    match suffix.lower():
        case ".csv":
            return _csv_rows(text)
        case ".toml":
            return _toml_rows(text)
        case _:
            raise _invalid("its name must end in .csv or .toml")


def _csv_rows(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    head = text.partition("\n")[0]
    semicolons = ";" in head and "," not in head  # as spreadsheets write it in most of Europe
    reader = csv.reader(
        StringIO(text, newline=""), delimiter=";" if semicolons else ",", strict=True
    )
    columns: list[str] = []
    begins = 1
    try:
        for cells in reader:
            place, begins = f"line {begins}", reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _columns([cell.strip() for cell in cells], place)
            elif len(cells) == len(columns):
                yield place, _from_cells(columns, cells)
            else:
                raise _invalid(f"{place}: {len(cells)} cells under {len(columns)} columns")
    except csv.Error as exc:
        raise _invalid(f"line {reader.line_num}: {exc}") from None


def _columns(names: list[str], place: str) -> list[str]:
    unknown = sorted(set(names) - set(Source.model_fields))
    if unknown or len(set(names)) < len(names):
        wrong = (
            f"no such column: {', '.join(unknown)}" if unknown else "a column stands there twice"
        )
        raise _invalid(f"{place}: {wrong}; the columns are {', '.join(Source.model_fields)}")
    return names


def _from_cells(columns: list[str], cells: list[str]) -> dict[str, Any]:
    stated = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()}
    return {name: cell.split() if name == _MANY else cell for name, cell in stated.items()}


def _toml_rows(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise _invalid(str(exc)) from None
    if others := sorted(set(document) - {TABLE}):
        raise _invalid(f"{', '.join(others)}: only [[{TABLE}]] tables may stand there")
    tables = document.get(TABLE, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _invalid(f"write each source as a table [[{TABLE}]]")
    heads = [text.count("\n", 0, match.end()) + 1 for match in _TABLE_HEAD.finditer(text)]
    for number, table in enumerate(tables):
        certain = len(heads) == len(tables)  # else some stand in a text, or are written inline
        yield f"line {heads[number]}" if certain else f"source number {number + 1}", table


def _named(place: str, location: Location) -> str:
    field = str(location[0]) if location else _MANY  # the only rule over several fields
    return f"{place}, {field}"


def _invalid(problem: str) -> Refused:
    return Refused("sources-invalid", f"nothing was imported: {problem}")
