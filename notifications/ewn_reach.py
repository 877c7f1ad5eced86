"""Who would get which variant of a warning if it went out now, counted by class.

Source: R33; domain 4.4. Shown to the second person before approval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from notifications.directory import Recipient
from notifications.ewn import EarlyWarning
from notifications.grants import Permission
from notifications.locks import LockDecision, open_locks
from notifications.products import Variant
from protocol.parties import RecipientClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One class: how many of it get each variant, how many get nothing, and why that is so."""

    recipient_class: RecipientClass
    variants: dict[Variant, int]
    held: int
    reasons: tuple[str, ...]
    """Of those who get nothing."""


def reach(
    ewn: EarlyWarning,
    recipients: Collection[Recipient],
    *,
    permissions: Sequence[Permission],
    now: datetime,
) -> tuple[Reach, ...]:
    """Every class on the dissemination list, in its order; each recipient at its best contact."""
    product = ewn.product()
    order = list(Variant)
    found: dict[RecipientClass, list[LockDecision]] = {}
    for recipient in recipients:
        if recipient.recipient_class not in ewn.header.dissemination:
            continue
        decisions = [
            open_locks(recipient, contact, product, permissions=permissions, now=now)
            for contact in recipient.contacts
        ]
        best = min(decisions, key=lambda d: (not d.allowed, order.index(d.variant)))
        found.setdefault(recipient.recipient_class, []).append(best)
    return tuple(
        _of_class(name, found.get(name, []))
        for name in RecipientClass
        if name in ewn.header.dissemination
    )


def _of_class(name: RecipientClass, decisions: Sequence[LockDecision]) -> Reach:
    counts = Counter(d.variant for d in decisions if d.allowed)
    held = [d for d in decisions if not d.allowed]
    return Reach(
        recipient_class=name,
        variants={variant: counts[variant] for variant in Variant if counts[variant]},
        held=len(held),
        reasons=tuple(dict.fromkeys(reason for d in held for reason in d.reasons)),
    )
