"""What people have recorded beyond the rules: whose word, for what, for whom, until when.

A record opens only what it names. Source: domain 4.4 (permission record, confirmations always needed).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from notifications.products import Component, Purpose


class PermissionKind(StrEnum):
    """What a record allows. Each is put down by a person, on evidence, until a date."""

    H2 = "h2"
    H3_READ = "h3-read"
    TLP_RED = "tlp-red"
    SOURCE_AGREEMENT = "source-agreement"
    TRANSFER = "transfer"
    PERSONAL_DATA = "personal-data"
    JUDICIAL_USE = "judicial-use"
    DOWNGRADE = "downgrade"
    PRIVATE_PARTNER = "private-partner"
    REGISTERED = "registered"
    LIFE_THREAT = "life-threat"


BY_NAME = frozenset(
    {
        PermissionKind.TLP_RED,
        PermissionKind.PRIVATE_PARTNER,
        PermissionKind.REGISTERED,
        PermissionKind.LIFE_THREAT,
    }
)
"""Kinds for which a whole class is no answer: they name each recipient."""
OF_THE_RECIPIENT = frozenset({PermissionKind.PRIVATE_PARTNER, PermissionKind.REGISTERED})
"""Kinds that are about the recipient alone, whatever is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A recorded word. ``recipients`` are ids or class names; an empty scope means no limit."""

    kind: PermissionKind
    provider: str
    """Whose word it is; empty for the centre's own."""
    recipients: frozenset[str]
    given_at: datetime
    expires_at: datetime
    items: frozenset[str] = frozenset()
    """Names of components (``Component.item``) or ids of reports."""
    purposes: frozenset[Purpose] = frozenset()
    product: str = ""
    """Digest of the one product that an override is for."""
    id: int = 0
    evidence: str = ""
    by: str = ""

    def in_force(self, now: datetime) -> bool:
        return self.given_at <= now < self.expires_at

    def covers(
        self, kind: PermissionKind, part: Component, names: Collection[str], now: datetime
    ) -> bool:
        """Whether this lets a recipient of these names have ``part``, as far as ``kind`` goes."""
        if self.kind is not kind or self.recipients.isdisjoint(names) or not self.in_force(now):
            return False
        return kind in OF_THE_RECIPIENT or (self.provider == part.provider and self._about(part))

    def _about(self, part: Component) -> bool:
        if self.purposes and part.purpose not in self.purposes:
            return False
        if self.kind is PermissionKind.DOWNGRADE:  # consent is to the lowering of one report
            return part.lowered in self.items
        named = {name for name in (part.item, part.lowered) if name}
        return not self.items or not self.items.isdisjoint(named)
