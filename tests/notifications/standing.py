"""What officers of a working centre have confirmed once for all incidents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from infra.database import Database
from infra.tables import permission
from notifications.directory import Directory
from notifications.grants import PermissionKind
from notifications.permissions import STANDING
from protocol.parties import RecipientClass

CONFIRMED = {
    RecipientClass.PRIVATE_PARTNER: PermissionKind.PRIVATE_PARTNER,
    RecipientClass.INTERPOL: PermissionKind.TRANSFER,
}


def confirm_partners(database: Database) -> None:
    """Confirm every private partner, and the transfer of the centre's own word to third countries.

    It was before anything that a test looks at in the audit trail.
    """
    now = datetime.now(UTC)
    with database.write() as connection:
        directory = Directory.load(connection)
        for name, kind in CONFIRMED.items():
            if known := directory.of_class(name):
                connection.execute(
                    insert(permission).values(
                        incident_id=STANDING,
                        kind=kind,
                        provider="",
                        recipients=[each.id for each in known],
                        evidence="letter 1",
                        by="test",
                        given_at=now - timedelta(days=1),
                        expires_at=now + timedelta(days=3650),
                    )
                )
