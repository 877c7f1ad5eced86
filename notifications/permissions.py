"""Permission records: what providers allowed beyond the rules, for whom, until when, on what evidence.

A record is never changed. One that was revoked counts for nothing from that moment on, in the middle of
a campaign too: the locks are tried again just before each mail. Source: domain 4.4.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from infra import audit
from infra.tables import permission
from infra.tables_permissions import permission_revocation, permission_scope
from notifications.grants import BY_NAME, Permission, PermissionKind
from notifications.override import overrides_in_force
from notifications.products import Purpose
from protocol.errors import NotFound, Refused
from protocol.parties import RecipientClass
from protocol.reasons import stated_reason

STANDING = ""
"""Incident of a record that counts for all incidents."""
MAY_STAND = frozenset(
    {PermissionKind.PRIVATE_PARTNER, PermissionKind.REGISTERED, PermissionKind.TRANSFER}
)
"""What may be said of a recipient once for all incidents, of the centre's own word only."""


class Standing(StrEnum):
    """How a record stands."""

    IN_FORCE = "in force"
    NOT_YET = "not yet"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A permission as it was recorded, with what became of it."""

    permission: Permission
    incident_id: str
    """``STANDING`` for one that counts for all."""
    revoked_by: str | None = None
    revoked_at: datetime | None = None
    revoked_reason: str | None = None

    def standing(self, now: datetime) -> Standing:
        if self.revoked_at is not None:
            return Standing.REVOKED
        if self.permission.in_force(now):
            return Standing.IN_FORCE
        return Standing.NOT_YET if now < self.permission.given_at else Standing.EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What of a provider's information a permission is limited to; empty means no limit."""

    items: frozenset[str] = field(default_factory=frozenset)
    purposes: frozenset[Purpose] = field(default_factory=frozenset)


UNLIMITED = Scope()


def load_permissions(connection: Connection, incident_id: str) -> tuple[Permission, ...]:
    """What counts for the incident and was not revoked, overrides included; locks look at dates."""
    records = _recorded(connection, permission.c.incident_id.in_((incident_id, STANDING)))
    kept = [each.permission for each in records if each.revoked_at is None]
    return (*kept, *overrides_in_force(connection, incident_id))


def list_permissions(connection: Connection, incident_id: str | None = None) -> list[Recorded]:
    """Every record in the order in which they were made: of an incident with what stands, or all."""
    which = permission.c.incident_id.in_((incident_id, STANDING)) if incident_id else True
    return list(_recorded(connection, which))


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
    scope: Scope = UNLIMITED,
    channel: str = "system",
) -> int:
    """Store a provider's word as officer ``by`` confirms it, with its audit row; return its number.

    ``recipients`` are ids or class names; ``evidence`` is the id of what proves it.

    Raises:
        Refused: ``bad-permission``: it names nobody, or a class where each is to be named, proves
            nothing, is over before it begins, or cannot stand for all incidents; ``two-officers``
            for an override.
    """
    names = sorted({str(name) for name in recipients})
    if not names or not evidence.strip() or expires_at <= given_at:
        raise Refused(
            "bad-permission",
            "a permission names its recipients and its evidence, and expires after it is given",
        )
    _check(kind, incident_id, provider, names, scope)
    number = connection.execute(
        insert(permission)
        .returning(permission.c.id)
        .values(
            incident_id=incident_id,
            kind=kind,
            provider=provider,
            recipients=names,
            evidence=evidence,
            by=by,
            given_at=given_at,
            expires_at=expires_at,
        )
    ).scalar_one()
    limits = {"items": sorted(scope.items), "purposes": sorted(scope.purposes)}
    if scope != UNLIMITED:
        connection.execute(insert(permission_scope).values(permission_id=number, **limits))
    audit.append(
        connection,
        "permission_recorded",
        actor=by,
        subject=incident_id or "standing",
        channel=channel,
        permission=number,
        kind=kind,
        provider=provider,
        recipients=names,
        evidence=evidence,
        expires_at=expires_at,
        **limits,
    )
    return int(number)


def revoke_permission(
    connection: Connection,
    number: int,
    *,
    by: str,
    reason: str,
    now: datetime,
    channel: str = "system",
) -> Recorded:
    """Take a record out of force at once, with its audit row; return it as it stands.

    What a merge of incidents carried over is the same word, and goes with it.

    Raises:
        NotFound: no such record.
        Refused: ``no-reason``, or ``revoked-already``.
    """
    why = stated_reason(reason, missing="say with --reason why it no longer holds")
    found = get_permission(connection, number)
    if found.revoked_at is not None:
        raise Refused(
            "revoked-already",
            f"permission {number} was revoked by {found.revoked_by} on "
            f"{found.revoked_at:%Y-%m-%d %H:%M} UTC",
        )
    numbers = _same_word(connection, found.permission)
    connection.execute(
        insert(permission_revocation),
        [{"permission_id": each, "by": by, "at": now, "reason": why} for each in numbers],
    )
    audit.append(
        connection,
        "permission_revoked",
        actor=by,
        subject=found.incident_id or "standing",
        channel=channel,
        permissions=numbers,
        kind=found.permission.kind,
        provider=found.permission.provider,
        reason=why,
    )
    return get_permission(connection, number)


def get_permission(connection: Connection, number: int) -> Recorded:
    """One record.

    Raises:
        NotFound: there is none of this number.
    """
    found = next(_recorded(connection, permission.c.id == number), None)
    if found is None:
        raise NotFound(f"no permission {number}: see 'leerp permissions list'")
    return found


def _same_word(connection: Connection, given: Permission) -> list[int]:
    """Numbers of this record and of its copies in other incidents that still count."""
    revoked = select(permission_revocation.c.permission_id)
    same = permission.c
    return list(
        connection.scalars(
            select(same.id)
            .where(
                same.kind == given.kind,
                same.provider == given.provider,
                same.by == given.by,
                same.evidence == given.evidence,
                same.given_at == given.given_at,
                same.id.not_in(revoked),
            )
            .order_by(same.id)
        )
    )


def _check(
    kind: PermissionKind, incident_id: str, provider: str, names: list[str], scope: Scope
) -> None:
    problem = ""
    if kind is PermissionKind.LIFE_THREAT:
        raise Refused(
            "two-officers",
            "an override for a threat to life takes two officers: 'leerp locks override propose'",
        )
    if kind in BY_NAME and set(names) & set(RecipientClass):
        problem = f"{kind} names each recipient by its id: a class is not enough"
    elif kind is PermissionKind.DOWNGRADE and not scope.items:
        problem = "consent to a lower marking names the report: --item REPORT"
    elif incident_id == STANDING and (kind not in MAY_STAND or provider):
        kinds = ", ".join(sorted(MAY_STAND))
        problem = f"for all incidents there is only the centre's own word on {kinds}"
    if problem:
        raise Refused("bad-permission", problem)


def _recorded(connection: Connection, which: Any) -> Iterator[Recorded]:
    rows = connection.execute(
        select(
            permission,
            permission_scope.c["items"].label("scope_items"),
            permission_scope.c.purposes,
            permission_revocation.c.by.label("revoked_by"),
            permission_revocation.c.at.label("revoked_at"),
            permission_revocation.c.reason.label("revoked_reason"),
        )
        .outerjoin(permission_scope, permission_scope.c.permission_id == permission.c.id)
        .outerjoin(permission_revocation, permission_revocation.c.permission_id == permission.c.id)
        .where(which)
        .order_by(permission.c.id)
    ).mappings()
    for row in rows:
        yield Recorded(
            permission=_permission(row),
            incident_id=row["incident_id"],
            revoked_by=row["revoked_by"],
            revoked_at=row["revoked_at"],
            revoked_reason=row["revoked_reason"],
        )


def _permission(row: RowMapping) -> Permission:
    return Permission(
        id=row["id"],
        kind=PermissionKind(row["kind"]),
        provider=row["provider"],
        recipients=frozenset(row["recipients"]),
        given_at=row["given_at"],
        expires_at=row["expires_at"],
        items=frozenset(row["scope_items"] or ()),
        purposes=frozenset(Purpose(name) for name in row["purposes"] or ()),
        evidence=row["evidence"],
        by=row["by"],
    )
