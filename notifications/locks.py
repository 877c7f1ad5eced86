"""The three locks that must all open before a mail may exist: classification, handling codes, TLP.

Each variant of a product is tried from the fullest to the barest; the first for which nothing is
closed is what the recipient gets. What nobody stated is closed.
Source: domain 4.1 to 4.4; R31, R32.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from notifications.directory import Contact, Recipient, key_problem
from notifications.grants import Permission, PermissionKind
from notifications.lock_rules import Case, Finding, Lock, findings
from notifications.products import NOT_FOR, Product, Reduced, Variant
from notifications.trust import PINNED, Trust
from protocol.parties import RecipientClass


@dataclass(frozen=True, slots=True, kw_only=True)
class LockDecision:
    """Whether a product may go to one contact, as which variant, and why.

    ``reasons`` says of a closed decision what is closed, of an open one what was left out and why;
    ``lock`` is the first closed one, None when all are open.
    """

    allowed: bool
    variant: Variant
    reasons: tuple[str, ...]
    lock: Lock | None = None


class Locks:
    """The locks of one product at one moment; who is alike in all that counts is answered once."""

    def __init__(
        self,
        product: Product,
        *,
        permissions: Sequence[Permission],
        now: datetime,
        proceedings: bool = False,
        trust: Trust = PINNED,
    ) -> None:
        self._product = product
        self._now = now
        self._trust = trust
        self._proceedings = proceedings
        self._permissions = [p for p in permissions if p.in_force(now)]
        self._by_item = any(
            p.items and p.kind is not PermissionKind.DOWNGRADE for p in self._permissions
        )
        overridden = any(p.kind is PermissionKind.LIFE_THREAT for p in self._permissions)
        self._digest = product.digest if overridden else ""
        named = frozenset[str]().union(*(p.recipients for p in self._permissions))
        self._named = named - set(RecipientClass)
        self._decided: dict[tuple[object, ...], LockDecision] = {}

    def decide(self, recipient: Recipient, contact: Contact) -> LockDecision:
        """Whether the product may be mailed to this contact, and as which variant."""
        problem = self._problem(contact)
        alike = (
            recipient.recipient_class,
            recipient.clearance if contact.clearance is None else contact.clearance,
            contact.accredited_up_to,
            recipient.may_receive_up_to,
            recipient.transfer_agreement,
            problem and (problem, contact.name),
            recipient.id if recipient.id in self._named else "",
        )
        if alike not in self._decided:
            self._decided[alike] = self._decide(recipient, contact, problem)
        return self._decided[alike]

    def findings(
        self, recipient: Recipient, contact: Contact, variant: Variant
    ) -> tuple[Finding, ...]:
        """Every rule that is asked of ``variant``, with its answer; none where it keeps nothing."""
        return self._findings(recipient, contact, variant, self._problem(contact), each=True)

    def _problem(self, contact: Contact) -> str:
        problem = key_problem(contact, self._now, self._trust)
        return problem[1] if problem else ""

    def _findings(
        self, recipient: Recipient, contact: Contact, variant: Variant, problem: str, *, each: bool
    ) -> tuple[Finding, ...]:
        reduced = self._product.variant(variant)
        if not reduced.components or recipient.recipient_class in NOT_FOR.get(variant, ()):
            return ()
        case = Case(
            recipient=recipient,
            contact=contact,
            reduced=reduced,
            product=self._digest,
            permissions=self._permissions,
            now=self._now,
            problem=problem,
            proceedings=self._proceedings,
        )
        return tuple(findings(case, each=each))

    def _decide(self, recipient: Recipient, contact: Contact, problem: str) -> LockDecision:
        attempts: list[tuple[Variant, list[Finding]]] = []
        for variant in Variant:
            found = self._findings(recipient, contact, variant, problem, each=self._by_item)
            if not found:
                continue
            closed = [each for each in found if not each.open]
            if not closed:
                why = [reason for _, before in attempts for reason in _reasons(before)]
                left_out = _left_out(self._product.variant(variant))
                return LockDecision(
                    allowed=True,
                    variant=variant,
                    reasons=tuple(dict.fromkeys([*why, *left_out])),
                )
            attempts.append((variant, closed))
        # The variant with the least against it tells a person best what to put right.
        variant, closed = min(attempts, key=lambda attempt: len(_reasons(attempt[1])))
        return LockDecision(
            allowed=False, variant=variant, reasons=_reasons(closed), lock=_first(closed)
        )


def open_locks(
    recipient: Recipient,
    contact: Contact,
    product: Product,
    *,
    permissions: Sequence[Permission],
    now: datetime,
    trust: Trust = PINNED,
) -> LockDecision:
    """Decide whether ``product`` may be mailed to this contact now, and as which variant."""
    locks = Locks(product, permissions=permissions, now=now, trust=trust)
    return locks.decide(recipient, contact)


def _first(closed: Iterable[Finding]) -> Lock:
    return min((each.lock for each in closed), key=tuple(Lock).index)


def _reasons(closed: Iterable[Finding]) -> tuple[str, ...]:
    """What is closed, in the order of the locks, each once."""
    ordered = sorted(closed, key=lambda each: tuple(Lock).index(each.lock))
    return tuple(dict.fromkeys(each.explanation for each in ordered))


def _left_out(reduced: Reduced) -> Iterator[str]:
    for reason, times in Counter(omission.reason for omission in reduced.omissions).items():
        yield f"left out: {reason} ({times})"
