"""The three locks that must all open before a mail may exist: classification, handling codes, TLP.

Each variant of a product is tried from the fullest to the barest; the first for which nothing is
closed is what the recipient gets. What nobody stated is closed.
Source: domain 4.1 to 4.4; R31, R32.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from notifications.directory import Contact, Recipient, key_problem
from notifications.matrix import MATRIX, Column, Opening
from notifications.products import NOT_FOR, Component, Product, Reduced, Variant
from protocol.markings import Classification, HandlingCode, Tlp


class Lock(StrEnum):
    """The locks, in the order in which they are tried."""

    CLASSIFICATION = "classification"
    HANDLING = "handling"
    TLP = "tlp"


class PermissionKind(StrEnum):
    """What a permission record allows. Each is given by a person, on evidence, until a date."""

    H2 = "h2"
    H3_READ = "h3-read"
    TLP_RED = "tlp-red"
    SOURCE_AGREEMENT = "source-agreement"
    TRANSFER = "transfer"
    PERSONAL_DATA = "personal-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A provider's recorded word; ``recipients`` are recipient ids or class names."""

    kind: PermissionKind
    provider: str
    recipients: frozenset[str]
    given_at: datetime
    expires_at: datetime

    def covers(self, kind: PermissionKind, provider: str, names: set[str], now: datetime) -> bool:
        return (
            self.kind is kind
            and self.provider == provider
            and not names.isdisjoint(self.recipients)
            and self.given_at <= now < self.expires_at
        )


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
class _Case:
    """One variant on its way to one contact."""

    recipient: Recipient
    contact: Contact
    reduced: Reduced
    permissions: Sequence[Permission]
    now: datetime

    def permitted(
        self, kind: PermissionKind, components: Iterable[Component], *, by_name: bool = False
    ) -> bool:
        """Whether each of the components' providers said so to this recipient, or to its class."""
        names = {self.recipient.id}
        if not by_name:
            names.add(str(self.recipient.recipient_class))
        return all(
            any(p.covers(kind, provider, names, self.now) for p in self.permissions)
            for provider in {component.provider for component in components}
        )

    def reaches(self) -> bool:
        """Whether the directory lets this addressee have the variant's TLP."""
        order = list(Tlp)
        allowed = order.index(self.recipient.may_receive_up_to)
        return order.index(self.reduced.marking.tlp) <= allowed


_Condition = Callable[[_Case, Sequence[Component]], bool]


def _foreign(components: Sequence[Component]) -> list[Component]:
    """What others provided: the centre's own word is the release itself."""
    return [c for c in components if c.provider]


_CONDITIONS: Mapping[Opening, _Condition] = {
    Opening.YES: lambda _case, _parts: True,
    Opening.LEGEND: lambda _case, _parts: True,
    Opening.ADDRESSEE: lambda case, _parts: case.reaches(),
    Opening.NAMED: lambda case, parts: case.permitted(PermissionKind.TLP_RED, parts, by_name=True),
    Opening.AGREED: lambda case, parts: case.permitted(
        PermissionKind.SOURCE_AGREEMENT, _foreign(parts)
    ),
    Opening.TECHNICAL: lambda case, parts: case.permitted(
        PermissionKind.PERSONAL_DATA, [c for c in parts if c.unfit_for(Variant.TECHNICAL)]
    ),
    Opening.SANITISED: lambda _case, parts: not any(c.unfit_for(Variant.TECHNICAL) for c in parts),
    Opening.SUMMARY: lambda _case, parts: not any(c.unfit_for(Variant.SUMMARY) for c in parts),
    Opening.BASIS: lambda case, parts: (
        case.recipient.transfer_agreement
        and case.permitted(PermissionKind.TRANSFER, _foreign(parts))
    ),
    Opening.PERMISSION: lambda case, parts: case.permitted(PermissionKind.H2, parts),
    Opening.PERMISSION_AND_BASIS: lambda case, parts: (
        case.recipient.transfer_agreement and case.permitted(PermissionKind.H2, parts)
    ),
    Opening.READ: lambda case, parts: case.permitted(PermissionKind.H3_READ, parts),
    Opening.NOT_BY_MAIL: lambda _case, _parts: False,
    Opening.NO: lambda _case, _parts: False,
}


def _columns(components: Sequence[Component]) -> Iterator[tuple[Lock, Column, list[Component]]]:
    """The columns of the matrix that these components stand in, each with those that do."""
    guarded = [
        c for c in components if c.marking.classification > Classification.PUBLIC or c.personal_data
    ]
    columns = [
        (Lock.CLASSIFICATION, Column.EUCI, [
            c for c in components if c.marking.classification >= Classification.RESTRICTED
        ]),
        (Lock.HANDLING, Column.BPL, guarded),
        (Lock.HANDLING, Column.H2, [
            c for c in components if HandlingCode.H2 in c.marking.handling_codes
        ]),
        (Lock.HANDLING, Column.H3, [
            c for c in components if HandlingCode.H3 in c.marking.handling_codes
        ]),
        *(
            (Lock.TLP, Column(f"TLP:{tlp}"), [c for c in components if c.marking.tlp is tlp])
            for tlp in Tlp
        ),
    ]  # fmt: skip
    return (column for column in columns if column[2])


def _closed(case: _Case) -> Iterator[tuple[Lock, str]]:
    """Every lock that is closed for this variant, with its reason, in order."""
    marking, recipient = case.reduced.marking, case.recipient
    if marking.classification > Classification.PUBLIC:
        if recipient.clearance < marking.classification:
            yield (
                Lock.CLASSIFICATION,
                f"cleared up to {recipient.clearance.name}, this is {marking.classification.name}",
            )
        if problem := key_problem(case.contact, case.now):
            yield Lock.CLASSIFICATION, f"contact {case.contact.name!r}: {problem[1]}"
    for lock, column, parts in _columns(case.reduced.components):
        cell = MATRIX[recipient.recipient_class][column]
        if not _CONDITIONS[cell.opening](case, parts):
            yield lock, cell.explanation
    if not case.reaches():
        yield Lock.TLP, f"the directory allows up to TLP:{recipient.may_receive_up_to}"


def open_locks(
    recipient: Recipient,
    contact: Contact,
    product: Product,
    *,
    permissions: Sequence[Permission],
    now: datetime,
) -> LockDecision:
    """Decide whether ``product`` may be mailed to this contact now, and as which variant."""
    attempts: list[tuple[Variant, list[tuple[Lock, str]]]] = []
    for variant in Variant:
        reduced = product.variant(variant)
        if not reduced.components or recipient.recipient_class in NOT_FOR.get(variant, ()):
            continue
        case = _Case(
            recipient=recipient,
            contact=contact,
            reduced=reduced,
            permissions=permissions,
            now=now,
        )
        closed = sorted(_closed(case), key=lambda found: list(Lock).index(found[0]))
        if not closed:
            why = [reason for _, found in attempts for _, reason in found]
            return LockDecision(
                allowed=True,
                variant=variant,
                reasons=tuple(dict.fromkeys([*why, *_left_out(reduced)])),
            )
        attempts.append((variant, closed))
    # The variant with the least against it tells a person best what to put right.
    variant, closed = min(attempts, key=lambda attempt: len(attempt[1]))
    return LockDecision(
        allowed=False,
        variant=variant,
        reasons=tuple(dict.fromkeys(reason for _, reason in closed)),
        lock=closed[0][0],
    )


def _left_out(reduced: Reduced) -> Iterator[str]:
    for reason, times in Counter(omission.reason for omission in reduced.omissions).items():
        yield f"left out: {reason} ({times})"
