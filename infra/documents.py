"""Documents that people write as JSON, YAML or TOML, and the lines on which their fields stand.

What a reader would have to guess is refused: a field given twice, YAML's anchors, aliases and tags,
numbers that are none.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node

from infra.document_lines import Lines, lines_of_toml, lines_of_tree
from protocol.errors import Refused
from protocol.wording import Location, MisfitError, dotted, in_words, listed

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
MAX_CHARACTERS = 1_000_000


class Form(StrEnum):
    """How a document is written."""

    JSON = "json"
    YAML = "yaml"
    TOML = "toml"


FORMS = {".json": Form.JSON, ".yaml": Form.YAML, ".yml": Form.YAML, ".toml": Form.TOML}
"""By the ending of the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as plain values, which can say where each of them stands."""

    name: str
    """As a person knows it: the file's path."""
    data: Any
    lines: Callable[[], Lines]
    """Asked only when something is wrong."""

    def place(self, location: Location) -> str:
        """``line 3, evidence.0.grade``; where a field is missing, the line of what lacks it."""
        lines = self.lines()
        known = (location[:n] for n in range(len(location), -1, -1))
        line = next((lines[part] for part in known if part in lines), None)
        return f"line {line}, {dotted(location)}" if line else dotted(location)

    def read(self, reader: Callable[[Any], T], *, reason: str) -> T:
        """What ``reader`` makes of the data.

        Raises:
            Refused: ``reason``; the message names the file, and line and field of each problem.
        """
        try:
            return reader(self.data)
        except ValidationError as exc:
            raise Refused(reason, f"{self.name}: {in_words(exc, self.place)}") from exc
        except MisfitError as exc:
            raise Refused(reason, f"{self.name}: {listed(exc.problems, self.place)}") from exc

    def read_model(self, model: type[M], *, reason: str) -> M:
        """The data as a model's, with types taken strictly: ``"3"`` is no number, ``yes`` no boolean.

        Fields that the model or a model in it does not have are refused, whatever they say themselves.

        Raises:
            Refused: ``unreadable`` or ``reason``, as ``read``.
        """
        try:
            text = json.dumps(self.data, ensure_ascii=False, default=_as_text)
            text.encode()
        except (TypeError, ValueError, RecursionError) as exc:
            raise Refused("unreadable", f"{self.name}: holds what JSON cannot: {exc}") from exc
        return self.read(
            lambda _: model.model_validate_json(text, strict=True, extra="forbid"), reason=reason
        )


def form_of(path: Path) -> Form:
    """How the file is written, by its name.

    Raises:
        Refused: ``unknown-form``, its name ends otherwise.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise Refused(
            "unknown-form", f"{path}: the name must end in one of {', '.join(FORMS)} to be read"
        )
    return form


def read_document(path: Path) -> Document:
    """Read a file by the ending of its name.

    Raises:
        Refused: ``unknown-form``, ``too-large`` or ``unreadable``; the message has the line.
    """
    form = form_of(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Refused("unreadable", f"{path}: not UTF-8 at byte {exc.start}") from exc
    except OSError as exc:
        raise Refused("unreadable", f"{path}: {exc.strerror}") from exc
    return parse_document(text, form, name=str(path))


def parse_document(text: str, form: Form, *, name: str) -> Document:
    """Read a text that is written in ``form``.

    Raises:
        Refused: ``too-large`` or ``unreadable``; the message has the line.
    """
    if len(text) > MAX_CHARACTERS:
        raise Refused("too-large", f"{name}: longer than {MAX_CHARACTERS:,} characters")
    try:
        match form:
            case Form.JSON:
                data = json.loads(text, object_pairs_hook=_each_once, parse_constant=_not_a_number)
                return Document(name=name, data=data, lines=lambda: _lines_of_json(text))
            case Form.YAML:
                tree = _yaml().compose(text)
                data, lines = _values(tree), lines_of_tree(tree)
                return Document(name=name, data=data, lines=lambda: lines)
            case Form.TOML:
                data = tomllib.loads(text)
                return Document(name=name, data=data, lines=lambda: lines_of_toml(text))
    except RecursionError as exc:
        raise Refused("unreadable", f"{name}: nested too deeply") from exc
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise Refused("unreadable", f"{name}: {where}{exc.problem or exc.context}") from exc
    except (YAMLError, ValueError) as exc:
        said, *_advice = str(exc).splitlines()[0].split(";")
        raise Refused("unreadable", f"{name}: {said}") from exc


class _Constructor(SafeConstructor):
    """Times stay text, as they are in JSON: the model that reads them knows about zones."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_scalar)


class _AliasError(MarkedYAMLError):
    """A value that stands for another one; ten lines of them can mean a billion values."""


def _as_text(moment: object) -> str:
    """TOML has times of its own, which JSON writes as text."""
    if isinstance(moment, (datetime, date, time)):
        return moment.isoformat()
    raise TypeError(f"{type(moment).__name__} is no value of a document")


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    return yaml


def _values(tree: Node | None) -> Any:
    if tree is None:
        return None
    _refuse_aliases(tree, set())
    return _yaml().constructor.construct_document(tree)


def _refuse_aliases(node: Node, seen: set[int]) -> None:
    if id(node) in seen:
        raise _AliasError(
            problem="an alias (*) of this value is not read: write the value out",
            problem_mark=node.start_mark,
        )
    seen.add(id(node))
    if isinstance(node.value, list):
        for each in node.value:
            for inner in each if isinstance(each, tuple) else (each,):
                _refuse_aliases(inner, seen)


def _lines_of_json(text: str) -> Lines:
    """JSON is YAML but for oddities; where one of them stands, a problem is named by its field only."""
    try:
        # Tabs may stand between the tokens of JSON, but not of YAML; in strings they cannot.
        return lines_of_tree(_yaml().compose(text.replace("\t", " ")))
    except (YAMLError, RecursionError):
        return {}


def _each_once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"field {name!r} is given twice")
        found[name] = value
    return found


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number that JSON knows")
