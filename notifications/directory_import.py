"""Import of a whole directory: what is harmless comes into force, the rest waits for a second person.

Source: R25 (the list of points of contact is an agreed annex, so it comes in as one document);
seed 000 (spoofing).
"""

from __future__ import annotations

from infra.database import Database
from notifications.authority import Attempt, administrator, attempted
from notifications.directory import Record
from notifications.directory_diff import Change
from notifications.directory_document import DirectoryDocument, read_json
from notifications.directory_proposals import propose
from notifications.directory_versions import DIRECTORY, differences, put_in_force
from protocol.errors import Refused

COMMAND = "directory import"


class ImportResult(Record):
    """What an import led to; ``new`` is false when the same content was already there, or waits."""

    version: int
    """In force after the import."""
    new: bool
    recipients: int
    officers: int
    proposal: int | None = None
    """Number of the proposal that waits for a second person, when something may not be changed alone."""
    changes: tuple[Change, ...] = ()
    """To the version before; none for the first."""


def import_directory(
    database: Database, text: str, *, by: str, channel: str = "system"
) -> ImportResult:
    """Import the JSON document ``{"recipients": [..], "officers": [..]}``, see ``import_document``.

    Raises:
        Refused: ``directory-invalid``, not JSON, or an entry is wrong; the message names the entry's
            id and the field. And as ``import_document``.
    Source: R25.
    """
    return import_document(database, read_json(text), by=by, channel=channel)


def import_document(
    database: Database,
    document: DirectoryDocument,
    *,
    by: str,
    channel: str = "system",
    read_beside: int | None = None,
) -> ImportResult:
    """Make the document the directory in force, or a proposal where a second person is needed.

    Version, recipients, officers and audit row are written in one transaction. Content that is already
    in force keeps its version. ``read_beside`` is the version that a partial file, such as a vCard, was
    completed from.

    Raises:
        Refused: ``unknown-officer`` or ``wrong-role``: the first directory may come from anybody,
            every other takes an officer of the one in force with the role duty-manager; ``stale`` when
            another version than ``read_beside`` is in force by now.
    """
    attempt = Attempt(officer=by, command=COMMAND, subject="directory", channel=channel)
    with attempted(database, attempt) as connection:
        database.serialise(connection, DIRECTORY)
        administrator(connection, by, COMMAND)
        version, changes = differences(connection, document)
        if read_beside is not None and read_beside != version:
            raise Refused(
                "stale", f"version {version} came into force meanwhile: import the file again"
            )
        proposal = None
        new = not version or bool(changes)
        if any(change.second_person for change in changes):
            new = False
            proposal = propose(connection, document, base=version, by=by, channel=channel)
        elif new:
            version = put_in_force(connection, document, by=by, channel=channel)
    return ImportResult(
        version=version,
        new=new,
        recipients=len(document.recipients),
        officers=len(document.officers),
        proposal=proposal,
        changes=changes,
    )
