"""The three locks that must all open before a mail may exist: classification, handling codes, TLP.

Each variant of a product is tried from the fullest to the barest; the first for which nothing is
closed is what the recipient gets. What nobody stated is closed.
Source: domain 4.1 to 4.4; R31, R32.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _InForce:
    """The permissions of a moment, and what was answered by them."""

    permissions: list[Permission]
    by_item: bool
    digest: str
    named: frozenset[str]
    decided: dict[tuple[object, ...], LockDecision] = field(default_factory=dict)
    best: dict[tuple[object, ...], Variant | None] = field(default_factory=dict)

    @classmethod
    def of(cls, permissions: list[Permission], product: Product) -> _InForce:
        overridden = any(p.kind is PermissionKind.LIFE_THREAT for p in permissions)
        named = frozenset[str]().union(*(p.recipients for p in permissions))
        return cls(
            permissions=permissions,
            by_item=any(p.items and p.kind is not PermissionKind.DOWNGRADE for p in permissions),
            digest=product.digest if overridden else "",
            named=named - set(RecipientClass),
        )


class Locks:
    """The locks of one product at one moment; who is alike in all that counts is answered once.

    Time counts by what is in force, and by keys, which are looked at each time; so while the permissions
    in force are those of ``before``, the answers that were given there stand.
    """

    def __init__(
        self,
        product: Product,
        *,
        permissions: Sequence[Permission],
        now: datetime,
        proceedings: bool = False,
        trust: Trust = PINNED,
        before: _InForce | None = None,
    ) -> None:
        self._product = product
        self._now = now
        self._trust = trust
        self._proceedings = proceedings
        self._recorded = permissions
        in_force = [p for p in permissions if p.in_force(now)]
        same = before is not None and before.permissions == in_force
        self._in_force = before if before and same else _InForce.of(in_force, product)

    def at(self, now: datetime) -> Locks:
        """The same locks at another moment."""
        return Locks(
            self._product,
            permissions=self._recorded,
            now=now,
            proceedings=self._proceedings,
            trust=self._trust,
            before=self._in_force,
        )

    def decide(self, recipient: Recipient, contact: Contact) -> LockDecision:
        """Whether the product may be mailed to this contact, and as which variant."""
        problem = self._problem(contact)
        words = problem and (problem, contact.name)
        alike = (*self._alike(recipient, contact), words)
        if alike not in self._in_force.decided:
            self._in_force.decided[alike] = self._decide(recipient, contact, problem)
        return self._in_force.decided[alike]

    def best(self, recipient: Recipient, contact: Contact) -> Variant | None:
        """The variant that ``decide`` allows, without its reasons; None when nothing may be mailed.

        Reasons name the contact whose key is missing, so that many who are alike need one each.
        """
        problem = self._problem(contact)
        alike = (*self._alike(recipient, contact), bool(problem))
        if alike not in self._in_force.best:
            decision = self._decide(recipient, contact, problem)
            self._in_force.best[alike] = decision.variant if decision.allowed else None
        return self._in_force.best[alike]

    def findings(
        self, recipient: Recipient, contact: Contact, variant: Variant
    ) -> tuple[Finding, ...]:
        """Every rule that is asked of ``variant``, with its answer; none where it keeps nothing."""
        return self._findings(recipient, contact, variant, self._problem(contact), each=True)

    def _alike(self, recipient: Recipient, contact: Contact) -> tuple[object, ...]:
        return (
            recipient.recipient_class,
            recipient.clearance if contact.clearance is None else contact.clearance,
            contact.accredited_up_to,
            recipient.may_receive_up_to,
            recipient.transfer_agreement,
            recipient.id if recipient.id in self._in_force.named else "",
        )

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
            product=self._in_force.digest,
            permissions=self._in_force.permissions,
            now=self._now,
            problem=problem,
            proceedings=self._proceedings,
        )
        return tuple(findings(case, each=each))

    def _decide(self, recipient: Recipient, contact: Contact, problem: str) -> LockDecision:
        attempts: list[tuple[Variant, list[Finding]]] = []
        for variant in Variant:
            found = self._findings(
                recipient, contact, variant, problem, each=self._in_force.by_item
            )
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
