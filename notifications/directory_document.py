"""A directory as it is imported and exported: everything that is valid from then on.

Source: R25 (the list of points of contact is an agreed annex, so it comes in as one document).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import Field, ValidationError
from pydantic_core import from_json, to_json
from sqlalchemy import Connection

from notifications.authority import ADMINISTERING
from notifications.directory import Directory, Officer, Recipient, Record, newest_version, officers
from protocol.errors import Refused
from protocol.wording import Location, dotted, in_words

INVALID = "directory-invalid"


class DirectoryDocument(Record):
    """Every organisation that may be warned, and everybody who may act."""

    recipients: tuple[Recipient, ...] = Field(min_length=1)
    officers: tuple[Officer, ...]

    def in_order(self) -> DirectoryDocument:
        """The same by ids: the order in which a file names organisations and officers says nothing."""
        return DirectoryDocument(
            recipients=tuple(sorted(self.recipients, key=lambda each: each.id)),
            officers=tuple(sorted(self.officers, key=lambda each: each.id)),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the content, as 64 hex digits; the same in whatever order it stands."""
        return hashlib.sha256(to_json(self.in_order())).hexdigest()


def in_force(connection: Connection) -> tuple[int, DirectoryDocument | None]:
    """The newest version and what it holds; 0 and None before the first."""
    if newest_version(connection) is None:
        return 0, None
    directory = Directory.load(connection)
    found = DirectoryDocument(recipients=directory.recipients, officers=tuple(officers(connection)))
    return directory.version, found


def read_json(text: str | bytes) -> DirectoryDocument:
    """The document ``{"recipients": [..], "officers": [..]}``.

    Raises:
        Refused: ``directory-invalid``, not JSON, or an entry is wrong; the message names the entry's
            id and the field.
    """
    try:
        raw = from_json(text)
    except ValueError as exc:
        raise Refused(INVALID, f"the directory is not readable JSON: {exc}") from None
    return validated(raw, lambda location: _entry(raw, location))


def validated(raw: Any, place: Callable[[Location], str] = dotted) -> DirectoryDocument:
    """The document of these values; ``place`` says in the words of its file where an entry stands.

    Raises:
        Refused: ``directory-invalid``.
    """
    try:
        document = DirectoryDocument.model_validate(raw)
    except ValidationError as exc:
        raise Refused(INVALID, in_words(exc, place)) from None
    for kind, ids in (
        ("recipient", [entry.id for entry in document.recipients]),
        ("officer", [entry.id for entry in document.officers]),
    ):
        if twice := sorted(name for name, times in Counter(ids).items() if times > 1):
            raise Refused(INVALID, f"{kind} {', '.join(twice)} stands there twice")
    if not any(ADMINISTERING & set(officer.roles) for officer in document.officers):
        raise Refused(
            INVALID,
            f"officers: give one of them the role {', '.join(ADMINISTERING)}, or nobody could import "
            "the next directory",
        )
    return document


def _entry(raw: Any, location: Sequence[int | str]) -> str:
    """``recipient 'le-poc-de', contacts.0.email`` for the place of an error."""
    match location:
        case [kind, int(index), *field]:
            entry = raw[kind][index]
            known = isinstance(entry, dict) and "id" in entry
            name = repr(str(entry["id"])[:60]) if known else f"number {index} (without an id)"
            place = ".".join(str(part) for part in field) or "entry"
            return f"{str(kind).removesuffix('s')} {name}, {place}"
        case _:
            return ".".join(str(part) for part in location) or "the directory"
