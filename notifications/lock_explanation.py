"""Why a lock is open or closed for one recipient, component by component, and what would open it.

Source: domain 4.4; R31, R32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from notifications.confirmations import MEANINGS
from notifications.directory import Recipient
from notifications.grants import OF_THE_RECIPIENT
from notifications.lock_rules import Finding, Lock, columns_of
from notifications.locks import LockDecision, Locks
from notifications.matrix import PUBLIC, Opening
from notifications.products import Omission, Product, Variant

_INSTEAD: Mapping[str, str] = {
    "clearance": "record the clearance in the directory, or send a variant below it",
    "channel": "only another channel that is accredited: no mail to this address",
    "key": "import a key for this contact into the directory",
    "addressee": "raise may_receive_up_to in the directory, where the source names this addressee",
}
_NOTHING = "nothing: this recipient gets a variant without it, or nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One rule on one component, or on the whole variant where ``component`` is empty."""

    lock: Lock
    rule: str
    component: str
    item: str
    open: bool
    explanation: str
    opened_by: str
    """The record that opened it, where one did."""
    remedy: str
    """What would open it; empty where it is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantExplained:
    """One variant, rule by rule, with what it leaves out."""

    variant: Variant
    open: bool
    lines: tuple[Line, ...]
    omissions: tuple[Omission, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The locks of one product for one contact."""

    decision: LockDecision
    variants: tuple[VariantExplained, ...]


def explain(locks: Locks, product: Product, recipient: Recipient, contact: int) -> Explanation:
    """Every rule with its answer for each variant that keeps anything, and the decision."""
    point = recipient.contacts[contact]
    explained = []
    for variant in Variant:
        found = locks.findings(recipient, point, variant)
        if found:
            explained.append(
                VariantExplained(
                    variant=variant,
                    open=all(each.open for each in found),
                    lines=tuple(_line(each) for each in found),
                    omissions=product.variant(variant).omissions,
                )
            )
    return Explanation(decision=locks.decide(recipient, point), variants=tuple(explained))


def explain_publication(product: Product) -> tuple[Line, ...]:
    """What of the whole product may be published, and what may not (the matrix's last row)."""
    lines = []
    for part in product.components:
        for lock, column in columns_of(part):
            cell = PUBLIC[column]
            allowed = cell.opening is Opening.YES
            lines.append(
                Line(
                    lock=lock,
                    rule=column,
                    component=part.id,
                    item=part.item,
                    open=allowed,
                    explanation=cell.explanation,
                    opened_by="",
                    remedy=""
                    if allowed
                    else "only a marking of PUBLIC and TLP:CLEAR from its provider",
                )
            )
    return tuple(lines)


def _line(found: Finding) -> Line:
    grant = found.grant
    return Line(
        lock=found.lock,
        rule=found.rule,
        component=found.component,
        item=found.item,
        open=found.open,
        explanation=found.explanation,
        opened_by=f"{grant.kind} {grant.id}, {grant.evidence}, {grant.by}" if grant else "",
        remedy="" if found.open else _remedy(found),
    )


def _remedy(found: Finding) -> str:
    if found.kind is not None and found.possible:
        provider = "" if found.kind in OF_THE_RECIPIENT else found.provider
        whose = f" of {provider}" if provider else " of the centre"
        return f"a record of kind {found.kind}{whose}: {MEANINGS[found.kind]}"
    return _INSTEAD.get(found.rule, _NOTHING)
