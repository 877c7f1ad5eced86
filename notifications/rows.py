"""One row of the outbox for each mail: made here, for the frozen list and for what follows it.

Source: R23, R24, R33; reliability 2.2.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, select

from infra import audit
from infra.tables import campaign, notification
from notifications.directory import Recipient
from notifications.grants import Permission
from notifications.locks import LockDecision, Locks
from notifications.notices import read_content
from notifications.outbox import Claim, State
from notifications.permissions import load_permissions
from notifications.products import Product, Variant
from notifications.trust import PINNED, Trust
from protocol.errors import NotFound
from protocol.markings import Classification

MESSAGE_DOMAIN = "leerp.invalid"
GONE = "no longer in the directory: what right it has is unknown"
NOBODY = LockDecision(allowed=False, variant=Variant.SUMMARY, reasons=(GONE,))
"""For a recipient that the directory no longer has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMaker:
    """Makes the rows of one campaign."""

    campaign_id: str
    product: Product
    permissions: tuple[Permission, ...]
    message_key: bytes = field(repr=False)
    now: datetime
    trust: Trust = PINNED
    _locks: Locks = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        locks = Locks(self.product, permissions=self.permissions, now=self.now, trust=self.trust)
        object.__setattr__(self, "_locks", locks)

    @classmethod
    def of(
        cls, connection: Connection, campaign_id: str, *, message_key: bytes, now: datetime
    ) -> Self:
        """For a campaign that is frozen, with the permissions of the moment.

        Raises:
            NotFound: no such campaign.
        """
        row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
        if row is None:
            raise NotFound(f"no campaign {campaign_id!r}: see 'leerp campaign list'")
        return cls(
            campaign_id=campaign_id,
            product=read_content(row.content).product(),
            permissions=load_permissions(connection, row.incident_id),
            message_key=message_key,
            now=now,
        )

    def decide(self, recipient: Recipient | None, contact: int) -> LockDecision:
        """Whether the notice may go to this contact now."""
        if recipient is None or contact >= len(recipient.contacts):
            return NOBODY
        return self._locks.decide(recipient, recipient.contacts[contact])

    def log_copies(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Give each copy of what is C-UE or above its number and recipient, in the audit trail."""
        copies = {
            row["id"]: {"copy": row["cursor"] + 1, "recipient": row["recipient_id"]}
            for row in rows
            if row["state"] == State.QUEUED and self._registered(Variant(row["variant"]))
        }
        if copies:
            audit.append(
                connection,
                "copies_numbered",
                actor="campaign",
                subject=self.campaign_id,
                copies=copies,
            )

    def _registered(self, variant: Variant) -> bool:
        level = self.product.variant(variant).marking.classification
        return level >= Classification.CONFIDENTIAL

    def row(
        self, recipient_id: str, contact: int, decision: LockDecision, *, cursor: int, revision: int
    ) -> dict[str, Any]:
        """A row of the outbox: queued where the locks are open, else held with the reason."""
        name = "|".join((self.campaign_id, recipient_id, str(contact), str(revision))).encode()
        local = hmac.new(self.message_key, name, hashlib.sha256).hexdigest()[:32]
        return {
            "id": hashlib.sha256(name).hexdigest()[:32],
            "campaign_id": self.campaign_id,
            "cursor": cursor,
            "recipient_id": recipient_id,
            "contact": contact,
            "revision": revision,
            "variant": decision.variant,
            "message_id": f"<{local}@{MESSAGE_DOMAIN}>",
            "state": State.QUEUED if decision.allowed else State.HELD,
            "reason": "; ".join(decision.reasons),
            "due_at": self.now if decision.allowed else None,
        }


def first_message_ids(connection: Connection, claims: Sequence[Claim]) -> dict[str, str]:
    """For each reminder among the claims, the Message-ID of the notice it reminds of."""
    reminded = {c.recipient_id for c in claims if c.revision > 0}
    if not reminded:
        return {}
    found = connection.execute(
        select(
            notification.c.recipient_id, notification.c.contact, notification.c.message_id
        ).where(
            notification.c.campaign_id == claims[0].campaign_id,
            notification.c.revision == 0,
            notification.c.recipient_id.in_(reminded),
        )
    )
    firsts = {(row.recipient_id, row.contact): row.message_id for row in found}
    return {
        c.id: firsts[c.recipient_id, c.contact]
        for c in claims
        if c.revision > 0 and (c.recipient_id, c.contact) in firsts
    }
