"""Import of a whole directory from a file.

Source: R25 (the list of points of contact is an agreed annex, so it comes in as one document).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, ValidationError
from pydantic_core import from_json, to_json
from sqlalchemy import Connection, delete, insert

from infra import audit
from infra.database import Database
from infra.tables import directory_version
from infra.tables import officer as officer_table
from infra.tables import recipient as recipient_table
from notifications.authority import ADMINISTERING, Attempt, administrator, attempted
from notifications.directory import Officer, Recipient, Record, newest_version
from protocol.errors import Refused
from protocol.wording import in_words

COMMAND = "directory import"


class _File(Record):
    """A directory as it is imported: everything that is valid from then on."""

    recipients: tuple[Recipient, ...] = Field(min_length=1)
    officers: tuple[Officer, ...] = Field(min_length=1)


class ImportResult(Record):
    """What an import led to; ``new`` is false when the same content was already there."""

    version: int
    new: bool
    recipients: int
    officers: int


def import_directory(
    database: Database, text: str, *, by: str, channel: str = "system"
) -> ImportResult:
    """Make the JSON document ``{"recipients": [..], "officers": [..]}`` the directory in force.

    The whole document is checked before anything is written; version, recipients, officers and
    audit row are written in one transaction. Content that is already in force keeps its version.

    Raises:
        Refused: ``directory-invalid``, not JSON, or an entry is wrong; the message names the entry's
            id and the field. ``unknown-officer`` or ``wrong-role``: the first directory may come from
            anybody, every other takes an officer of the one in force with the role duty-manager.
    Source: R25.
    """
    document = _read(text)
    digest = hashlib.sha256(to_json(document)).hexdigest()
    attempt = Attempt(officer=by, command=COMMAND, subject="directory", channel=channel)
    with attempted(database, attempt) as connection:
        administrator(connection, by, COMMAND)
        newest = newest_version(connection)
        new = newest is None or newest[1] != digest
        version = newest[0] if newest else 0
        if new:
            version += 1
            _write(connection, document, version=version, digest=digest, by=by, channel=channel)
    return ImportResult(
        version=version,
        new=new,
        recipients=len(document.recipients),
        officers=len(document.officers),
    )


def _write(
    connection: Connection,
    document: _File,
    *,
    version: int,
    digest: str,
    by: str,
    channel: str,
) -> None:
    connection.execute(
        insert(directory_version).values(
            version=version, imported_at=datetime.now(UTC), by=by, sha256=digest
        )
    )
    connection.execute(
        insert(recipient_table),
        [
            {
                "version": version,
                "id": recipient.id,
                "class": recipient.recipient_class,
                "document": recipient.model_dump(mode="json"),
            }
            for recipient in document.recipients
        ],
    )
    connection.execute(delete(officer_table))
    connection.execute(
        insert(officer_table), [officer.model_dump(mode="json") for officer in document.officers]
    )
    audit.append(
        connection,
        "directory_imported",
        actor=by,
        subject=f"directory/{version}",
        channel=channel,
        sha256=digest,
        recipients=len(document.recipients),
        officers=len(document.officers),
    )


def _read(text: str) -> _File:
    try:
        raw = from_json(text)
    except ValueError as exc:
        raise Refused("directory-invalid", f"the directory is not readable JSON: {exc}") from None
    try:
        document = _File.model_validate(raw)
    except ValidationError as exc:
        problems = in_words(exc, lambda location: _entry(raw, location))
        raise Refused("directory-invalid", problems) from None
    for kind, entries in (("recipient", document.recipients), ("officer", document.officers)):
        if twice := _duplicates([entry.id for entry in entries]):
            raise Refused("directory-invalid", f"{kind} {', '.join(twice)} stands there twice")
    if not any(ADMINISTERING & set(officer.roles) for officer in document.officers):
        raise Refused(
            "directory-invalid",
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


def _duplicates(ids: Sequence[str]) -> list[str]:
    return sorted(name for name, times in Counter(ids).items() if times > 1)
