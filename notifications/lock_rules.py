"""The rules behind the locks: what each opening of the matrix asks of one component.

Every finding is about one component, or about the whole variant; a lock is open when all its findings
are. Unknown is closed. Source: domain 4.1 to 4.4; R31, R32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from notifications.directory import Contact, Recipient
from notifications.grants import BY_NAME, Permission, PermissionKind
from notifications.matrix import MATRIX, Column, Opening
from notifications.products import Component, Reduced, Variant
from protocol.markings import Classification, HandlingCode, Tlp


class Lock(StrEnum):
    """The locks, in the order in which they are tried."""

    CLASSIFICATION = "classification"
    HANDLING = "handling"
    TLP = "tlp"


OVERRIDABLE = frozenset({Column.H2, Column.H3})
"""What a threat to life opens: the provider's restrictions (Art. 22(2)), and nothing else."""
_LEVELS = tuple(Tlp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One variant of a product on its way to one contact."""

    recipient: Recipient
    contact: Contact
    reduced: Reduced
    product: str
    """The product's digest, where there is an override to compare it with."""
    permissions: Sequence[Permission]
    now: datetime
    problem: str
    """Why nothing can be encrypted to this contact; empty where it can."""
    proceedings: bool = False
    """Whether it is to be used in judicial proceedings."""

    @property
    def clearance(self) -> Classification:
        """The contact's own where it has one, else the organisation's."""
        own = self.contact.clearance
        return self.recipient.clearance if own is None else own

    def grant(self, kind: PermissionKind, part: Component) -> Permission | None:
        """The record that lets this recipient, or its class, have ``part``."""
        names = {self.recipient.id}
        if kind not in BY_NAME:
            names.add(str(self.recipient.recipient_class))
        return next((p for p in self.permissions if p.covers(kind, part, names, self.now)), None)

    def override(self) -> Permission | None:
        """The life-threat override that names this recipient and this very product."""
        return next(
            (
                p
                for p in self.permissions
                if p.kind is PermissionKind.LIFE_THREAT
                and p.product == self.product
                and self.recipient.id in p.recipients
                and p.in_force(self.now)
            ),
            None,
        )

    def reaches(self, tlp: Tlp) -> bool:
        """Whether the directory lets this addressee have so much."""
        return _LEVELS.index(tlp) <= _LEVELS.index(self.recipient.may_receive_up_to)

    def accredited(self, level: Classification) -> bool:
        """Whether person and channel both reach."""
        return level <= self.clearance and level <= self.contact.accredited_up_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule, tried on one component, or on the whole variant where ``component`` is empty."""

    lock: Lock
    rule: str
    """A column of the matrix, or what else was looked at."""
    component: str
    open: bool
    explanation: str
    possible: bool = True
    """Whether a record could open it: false where something else stands in the way."""
    kind: PermissionKind | None = None
    """The record that it takes, where it takes one."""
    provider: str = ""
    item: str = ""
    grant: Permission | None = None
    """The record that opened it."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an opening asks: that this holds, and that a record of this kind is there."""

    holds: bool = True
    kind: PermissionKind | None = None


_Rule = Callable[[Case, Component], Requirement]


def _always(kind: PermissionKind) -> _Rule:
    return lambda _case, _part: Requirement(kind=kind)


_OPEN: _Rule = lambda _case, _part: Requirement()  # noqa: E731
_CLOSED: _Rule = lambda _case, _part: Requirement(holds=False)  # noqa: E731

_RULES: Mapping[Opening, _Rule] = {
    Opening.YES: _OPEN,
    Opening.LEGEND: _OPEN,
    Opening.NO: _CLOSED,
    Opening.ADDRESSEE: lambda case, part: Requirement(case.reaches(part.marking.tlp)),
    Opening.NAMED: _always(PermissionKind.TLP_RED),
    # The centre's own word is the release itself, which two people make.
    Opening.AGREED: lambda _case, part: Requirement(
        kind=PermissionKind.SOURCE_AGREEMENT if part.provider else None
    ),
    Opening.TECHNICAL: lambda _case, part: Requirement(
        kind=PermissionKind.PERSONAL_DATA if part.unfit_for(Variant.TECHNICAL) else None
    ),
    Opening.SANITISED: lambda _case, part: Requirement(not part.unfit_for(Variant.TECHNICAL)),
    Opening.SUMMARY: lambda _case, part: Requirement(not part.unfit_for(Variant.SUMMARY)),
    Opening.BASIS: lambda case, _part: Requirement(
        case.recipient.transfer_agreement, PermissionKind.TRANSFER
    ),
    Opening.PERMISSION: _always(PermissionKind.H2),
    Opening.PERMISSION_AND_BASIS: lambda case, _part: Requirement(
        case.recipient.transfer_agreement, PermissionKind.H2
    ),
    Opening.READ: _always(PermissionKind.H3_READ),
    Opening.PROCEEDINGS: _always(PermissionKind.JUDICIAL_USE),
    Opening.CONSENT: _always(PermissionKind.DOWNGRADE),
    Opening.CONFIRMED: _always(PermissionKind.PRIVATE_PARTNER),
    Opening.CLEARED: lambda case, part: Requirement(case.accredited(part.marking.classification)),
    Opening.AGREEMENT: lambda case, part: Requirement(
        case.recipient.transfer_agreement and case.accredited(part.marking.classification)
    ),
    Opening.REGISTER: _always(PermissionKind.REGISTERED),
}


def columns_of(part: Component, *, proceedings: bool = False) -> Iterator[tuple[Lock, Column]]:
    """The columns of the matrix that a component stands in, lock by lock."""
    marking, codes = part.marking, part.marking.handling_codes
    column = {True: Column.EUCI, False: Column.PUBLIC}
    if (euci := marking.classification >= Classification.RESTRICTED) or not part.guarded:
        yield Lock.CLASSIFICATION, column[euci]
    if marking.classification >= Classification.CONFIDENTIAL:
        yield Lock.CLASSIFICATION, Column.REGISTERED
    if part.guarded or marking.tlp is not Tlp.CLEAR:
        yield Lock.HANDLING, Column.FIRST_USE
    if part.guarded:
        yield Lock.HANDLING, Column.BPL
    if proceedings and HandlingCode.H1 in codes:
        yield Lock.HANDLING, Column.H1
    if HandlingCode.H2 in codes:
        yield Lock.HANDLING, Column.H2
    if HandlingCode.H3 in codes:
        yield Lock.HANDLING, Column.H3
    if part.lowered:
        yield Lock.HANDLING, Column.LOWERED
    yield Lock.TLP, Column(f"TLP:{marking.tlp}")


def findings(case: Case, *, each: bool = True) -> Iterator[Finding]:
    """Every rule that is asked of this variant, with its answer.

    For ``each`` component, or, where no record is limited to items, for one of each kind.
    """
    yield from _of_the_variant(case)
    override = case.override()
    for part in case.reduced.components if each else case.reduced.kinds:
        for lock, column in columns_of(part, proceedings=case.proceedings):
            yield _of_the_component(case, part, lock, column, override)
    tlp = case.reduced.marking.tlp
    yield Finding(
        lock=Lock.TLP,
        rule="addressee",
        component="",
        open=case.reaches(tlp),
        possible=case.reaches(tlp),
        explanation=f"the directory allows up to TLP:{case.recipient.may_receive_up_to}",
    )


def _of_the_variant(case: Case) -> Iterator[Finding]:
    """Clearance, channel and key: of whatever is above PUBLIC."""
    if not case.reduced.guarded:
        return
    level = max(case.reduced.marking.classification, Classification.BPL)
    checks = (
        ("clearance", case.clearance, f"cleared up to {case.clearance.name}"),
        (
            "channel",
            case.contact.accredited_up_to,
            f"the channel is accredited up to {case.contact.accredited_up_to.name}",
        ),
    )
    for rule, reached, words in checks:
        yield Finding(
            lock=Lock.CLASSIFICATION,
            rule=rule,
            component="",
            open=level <= reached,
            possible=level <= reached,
            explanation=f"{words}, this is {level.name}",
        )
    yield Finding(
        lock=Lock.CLASSIFICATION,
        rule="key",
        component="",
        open=not case.problem,
        possible=not case.problem,
        explanation=f"contact {case.contact.name!r}: {case.problem or 'a key that can be used'}",
    )


def _of_the_component(
    case: Case, part: Component, lock: Lock, column: Column, override: Permission | None
) -> Finding:
    cell = MATRIX[case.recipient.recipient_class][column]
    asked = _RULES[cell.opening](case, part)
    grant = case.grant(asked.kind, part) if asked.kind else None
    if grant is None and asked.kind and column in OVERRIDABLE:
        grant = override
    return Finding(
        lock=lock,
        rule=column,
        component=part.id,
        open=asked.holds and (asked.kind is None or grant is not None),
        possible=asked.holds,
        explanation=cell.explanation,
        kind=asked.kind,
        provider=part.provider,
        item=part.item,
        grant=grant,
    )
