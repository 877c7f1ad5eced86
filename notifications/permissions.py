"""Permission records: what providers allowed beyond the rules, for whom, until when, on what evidence.

Source: domain 4.4 (confirmations always needed).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, insert, select

from infra import audit
from infra.tables import permission
from notifications.locks import Permission, PermissionKind
from protocol.errors import Refused
from protocol.parties import RecipientClass


def load_permissions(connection: Connection, incident_id: str) -> tuple[Permission, ...]:
    """Every permission ever recorded for the incident; the locks look at the dates."""
    rows = connection.execute(
        select(permission).where(permission.c.incident_id == incident_id).order_by(permission.c.id)
    )
    return tuple(
        Permission(
            kind=PermissionKind(row.kind),
            provider=row.provider,
            recipients=frozenset(row.recipients),
            given_at=row.given_at,
            expires_at=row.expires_at,
        )
        for row in rows
    )


def record_permission(
    connection: Connection,
    *,
    incident_id: str,
    kind: PermissionKind,
    provider: str,
    recipients: Collection[str | RecipientClass],
    evidence: str,
    by: str,
    given_at: datetime,
    expires_at: datetime,
    channel: str = "system",
) -> None:
    """Store a provider's word as officer ``by`` confirms it, with its audit row.

    ``recipients`` are ids or class names; ``evidence`` is the id of what proves it.

    Raises:
        Refused: ``bad-permission``, names nobody, proves nothing, or is over before it begins.
    """
    if not recipients or not evidence.strip() or expires_at <= given_at:
        raise Refused(
            "bad-permission",
            "a permission names its recipients and its evidence, and expires after it is given",
        )
    names = sorted(str(name) for name in recipients)
    connection.execute(
        insert(permission).values(
            incident_id=incident_id,
            kind=kind,
            provider=provider,
            recipients=names,
            evidence=evidence,
            by=by,
            given_at=given_at,
            expires_at=expires_at,
        )
    )
    audit.append(
        connection,
        "permission_recorded",
        actor=by,
        subject=incident_id,
        channel=channel,
        kind=kind,
        provider=provider,
        recipients=names,
        evidence=evidence,
        expires_at=expires_at,
    )
