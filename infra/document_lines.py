"""On which line each field of a document stands, found without trusting what the fields hold."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from protocol.wording import Location

MAX_STATEMENT_LINES = 500
"""A longer statement, and all that follows it, is named by its field only: finding its end is slow."""

Lines = Mapping[Location, int]
"""Place of a value to its line, from 1. A place that is missing stands where its parent does."""


def lines_of_tree(tree: Node | None) -> Lines:
    """Of YAML, and of JSON that was read as such: the line of each key, item and value."""
    return dict(_below(tree, ())) if tree is not None else {}


def _below(node: Node, place: Location) -> Iterator[tuple[Location, int]]:
    if not place:
        yield place, node.start_mark.line + 1
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                inner = (*place, key.value)
                yield inner, key.start_mark.line + 1
                yield from _below(value, inner)
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            inner = (*place, number)
            yield inner, value.start_mark.line + 1
            yield from _below(value, inner)


def lines_of_toml(text: str) -> Lines:
    """Of TOML that can be read: the line on which the statement of each field begins."""
    found: dict[Location, int] = {(): 1}
    arrays: dict[Location, int] = {}
    table: Location = ()
    for line, statement in _statements(text):
        header = statement.strip().startswith("[")
        keys = _path(tomllib.loads(statement), whole=header)
        if not header:
            for key in keys:
                _set(found, (*table, *key), line)
            continue
        table = _within(keys[0], arrays)
        if statement.strip().startswith("[["):
            arrays[table] = arrays.get(table, -1) + 1
            _set(found, table, line)
            table = (*table, arrays[table])
        _set(found, table, line)
    return found


def _set(found: dict[Location, int], place: Location, line: int) -> None:
    for length in range(1, len(place) + 1):
        found.setdefault(place[:length], line)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header and each key with its value, and its first line; a value may take several lines."""
    begun, held = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not held and not line.split("#")[0].strip():
            continue
        begun, held = begun or number, f"{held}{line}\n"
        if number - begun >= MAX_STATEMENT_LINES:
            return
        try:
            tomllib.loads(held)
        except tomllib.TOMLDecodeError:
            continue
        yield begun, held
        begun, held = 0, ""


def _path(data: Any, *, whole: bool) -> list[Location]:
    """The keys that one statement gives: a header's path, or every field of a key and its value."""
    found: list[Location] = []
    place: Location = ()
    while isinstance(data, (dict, list)) and data:
        if isinstance(data, list):
            if not whole:
                break
            data = data[0]
            continue
        if len(data) > 1:
            found += [(*place, key) for key in data]
            break
        key, data = next(iter(data.items()))
        place = (*place, key)
    return found or [place]


def _within(path: Location, arrays: Mapping[Location, int]) -> Location:
    """A header's path with the numbers of the tables that it continues."""
    place: Location = ()
    for position, key in enumerate(path):
        place = (*place, key)
        if place in arrays and position < len(path) - 1:
            place = (*place, arrays[place])
    return place
