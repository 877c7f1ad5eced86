"""What a campaign's mails hang on besides their bytes: permissions, overrides, a withdrawal, the directory.

It is looked at again before each body, and seldom is anything new. Permissions, revocations, overrides
and versions of the directory are rows that are only ever added, so their numbers, read in one statement
in the transaction that lets the body go, say exactly whether what was read before still holds.
Source: domain 4.4; F-M10; reliability 2.2 step 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, FromClause, ScalarSelect, bindparam, func, select

from infra.tables import directory_version, permission
from infra.tables_acknowledgement import withdrawal
from infra.tables_permissions import (
    life_override,
    life_override_approval,
    life_override_end,
    permission_revocation,
)
from notifications.locks import Locks
from notifications.permissions import load_permissions
from notifications.products import Product


def _number(table: FromClause) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).scalar_subquery()


_ADDED_TO = (
    permission,
    permission_revocation,
    life_override,
    life_override_approval,
    life_override_end,
)
_NEWS = select(
    select(withdrawal.c.approved_at)
    .where(withdrawal.c.campaign_id == bindparam("b_campaign"))
    .scalar_subquery(),
    select(func.max(directory_version.c.version)).scalar_subquery(),
    *(_number(table) for table in _ADDED_TO),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """How things stand in the transaction in which they were read."""

    withdrawn: bool
    """Two people have withdrawn the campaign."""
    directory: int | None
    """The newest version, None before the first."""
    locks: Locks


class RightsInForce:
    """The rights of one campaign, read again only when something was added."""

    def __init__(self, incident_id: str, campaign_id: str, product: Product) -> None:
        self._incident_id = incident_id
        self._campaign_id = campaign_id
        self._product = product
        self._read: tuple[tuple[int, ...], Locks] | None = None  # one value: threads share it

    def at(self, connection: Connection, now: datetime) -> Rights:
        """The rights at ``now``, as the caller's transaction sees them."""
        row = connection.execute(_NEWS, {"b_campaign": self._campaign_id}).one()
        approved_at, version, *numbers = row
        seen = tuple(numbers)
        read = self._read
        if read is not None and read[0] == seen:
            locks = read[1].at(now)
        else:
            permissions = load_permissions(connection, self._incident_id)
            locks = Locks(self._product, permissions=permissions, now=now)
        self._read = (seen, locks)
        return Rights(withdrawn=approved_at is not None, directory=version, locks=locks)
