"""Versions of the directory: what one holds, how two differ, and how another comes into force.

Source: R25 (the agreed annex), domain 4.4.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from infra import audit
from infra.tables import directory_version
from infra.tables import officer as officer_table
from infra.tables import recipient as recipient_table
from infra.tables_directory import directory_proposal
from notifications.directory import Directory, Recipient
from notifications.directory_diff import Change, officers_changed, recipients_changed
from notifications.directory_document import DirectoryDocument, in_force

DIRECTORY = 40
"""Number of the lock under which the version in force is read and another is written."""


def differences(
    connection: Connection, document: DirectoryDocument
) -> tuple[int, tuple[Change, ...]]:
    """The version in force, and what ``document`` would change in it; nothing before the first."""
    base, found = in_force(connection)
    if found is None:
        return 0, ()
    here = {each.id for each in found.recipients}
    back = {each.id for each in document.recipients} - here
    changes = recipients_changed(
        found.recipients, document.recipients, known=_last_known(connection, back)
    )
    return base, changes + officers_changed(found.officers, document.officers)


def differences_between(connection: Connection, a: int, b: int) -> tuple[Change, ...]:
    """How the organisations of version ``b`` differ from those of ``a``.

    Officers are those in force only; what an import changed in them is in the audit trail.

    Raises:
        NotFound: there is no such version.
    """
    old, new = Directory.load(connection, a), Directory.load(connection, b)
    return recipients_changed(old.recipients, new.recipients)


def put_in_force(
    connection: Connection, document: DirectoryDocument, *, by: str, channel: str, **detail: Any
) -> int:
    """Write the document as the next version, with its audit row, and return its number."""
    newest = connection.scalar(select(func.max(directory_version.c.version))) or 0
    version = newest + 1
    connection.execute(
        insert(directory_version).values(
            version=version, imported_at=datetime.now(UTC), by=by, sha256=document.digest
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
        sha256=document.digest,
        recipients=len(document.recipients),
        officers=len(document.officers),
        **detail,
    )
    return version


def versions(connection: Connection) -> list[dict[str, Any]]:
    """Every version, the newest first: when, by whom, and who confirmed it, where that was needed."""
    size = (
        select(recipient_table.c.version, func.count().label("recipients"))
        .group_by(recipient_table.c.version)
        .subquery()
    )
    rows = connection.execute(
        select(
            directory_version,
            size.c.recipients,
            directory_proposal.c.settled_by,
            directory_proposal.c.id.label("proposal"),
        )
        .outerjoin(size, size.c.version == directory_version.c.version)
        .outerjoin(directory_proposal, directory_proposal.c.version == directory_version.c.version)
        .order_by(directory_version.c.version.desc())
    )
    return [
        {
            "version": row.version,
            "at": row.imported_at.isoformat(),
            "by": row.by,
            "confirmed_by": row.settled_by,
            "proposal": row.proposal,
            "recipients": row.recipients,
            "sha256": row.sha256,
        }
        for row in rows
    ]


def _last_known(connection: Connection, ids: set[str]) -> dict[str, Recipient]:
    """As they last stood, of these organisations, those that ever did."""
    last = (
        select(recipient_table.c.id, func.max(recipient_table.c.version).label("version"))
        .group_by(recipient_table.c.id)
        .subquery()
    )
    rows = connection.execute(
        select(recipient_table.c.id, recipient_table.c.document).join(
            last,
            (last.c.id == recipient_table.c.id) & (last.c.version == recipient_table.c.version),
        )
    )
    return {row.id: Recipient.model_validate(row.document) for row in rows if row.id in ids}
