"""What officers do with permissions: record a provider's word, and take it out of force.

Source: domain 4.4 (permission record, confirmations always needed); R32.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from infra.database import Database
from notifications.authority import WORKING, Attempt, acting, attempted
from notifications.directory import Directory
from notifications.grants import PermissionKind
from notifications.permissions import (
    STANDING,
    UNLIMITED,
    Recorded,
    Scope,
    get_permission,
    record_permission,
    revoke_permission,
)
from protocol.errors import Refused
from workflows.open_incident import require_workable


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A provider's word as an officer puts it down; the incident ``STANDING`` is for all of them."""

    incident_id: str
    kind: PermissionKind
    provider: str
    """Empty for the centre's own."""
    recipients: Collection[str]
    """Ids or classes of the directory in force."""
    evidence: str
    lasting: timedelta
    scope: Scope = UNLIMITED


class Permitting:
    """Permissions in the hands of one officer, over one channel; each act is one transaction.

    Both methods raise ``Refused`` (``unknown-officer``, ``wrong-role``) besides what they name.
    """

    def __init__(self, database: Database, *, officer: str, channel: str) -> None:
        self._database = database
        self._officer = officer
        self._channel = channel

    def record(self, word: Word) -> Recorded:
        """Record a provider's permission; the locks take it into account from now on.

        Raises:
            NotFound: no such incident.
            Refused: ``unknown-recipient``, naming what is neither id nor class of the directory,
                ``bad-permission``, ``two-officers``, ``incident-merged`` or ``incident-ended``.
        """
        now = datetime.now(UTC)
        attempt = self._attempt("permit", word.incident_id or "standing")
        with attempted(self._database, attempt) as connection:
            acting(connection, self._officer, WORKING, attempt.command)
            if word.incident_id != STANDING:
                require_workable(connection, word.incident_id)
            require_known(connection, word.recipients)
            number = record_permission(
                connection,
                incident_id=word.incident_id,
                kind=word.kind,
                provider=word.provider,
                recipients=word.recipients,
                evidence=word.evidence,
                by=self._officer,
                given_at=now,
                expires_at=now + word.lasting,
                scope=word.scope,
                channel=self._channel,
            )
            return get_permission(connection, number)

    def revoke(self, number: int, *, reason: str) -> Recorded:
        """Take a record out of force at once, in the middle of a campaign too.

        Raises:
            NotFound: no such record.
            Refused: ``no-reason`` or ``revoked-already``.
        """
        attempt = self._attempt("revoke permission", f"permission {number}")
        with attempted(self._database, attempt) as connection:
            acting(connection, self._officer, WORKING, attempt.command)
            return revoke_permission(
                connection,
                number,
                by=self._officer,
                reason=reason,
                now=datetime.now(UTC),
                channel=self._channel,
            )

    def _attempt(self, command: str, subject: str) -> Attempt:
        return Attempt(
            officer=self._officer, command=command, subject=subject, channel=self._channel
        )


def require_known(
    connection: Connection, recipients: Collection[str], *, classes: bool = True
) -> None:
    """Pass only ids of the directory in force, and, unless not wanted, classes that somebody is in.

    Raises:
        Refused: ``unknown-recipient``, naming each that is not.
    """
    directory = Directory.load(connection)
    known = directory.by_id().keys() | {
        str(each.recipient_class) for each in directory.recipients if classes
    }
    if unknown := sorted(set(recipients) - known):
        what = "neither id nor class" if classes else "no id"
        raise Refused(
            "unknown-recipient",
            f"{what} of a recipient: {', '.join(unknown)}; see 'leerp directory list'",
        )
