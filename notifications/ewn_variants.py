"""What each variant of a warning leaves out and why, for the officers who release it.

Readers only see that something is left out; this says what, so that it is never sent.
Source: domain 4.4 (aggregation, retained-source rule), 5.3 (variants).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from notifications.ewn import SECTIONS, EarlyWarning
from notifications.matrix import MATRIX, Column, Opening
from notifications.products import NOT_FOR, Variant
from notifications.typesetting import defang
from protocol.markings import Marking
from protocol.parties import RecipientClass

_PARTS = {
    "picture": ("facts", "sectors, countries, victims, services, vector and tooling"),
    "assessment": ("assessment", "what it means, outlook, likelihood and other explanations"),
    "gaps": ("assessment", "gaps in what is known"),
    "law_enforcement": ("law_enforcement", "offences, modus operandi, links and lead"),
    "preservation": ("preservation", "evidence to preserve, and what not to do"),
    "mitigation": ("mitigation", "measures and where the advice comes from"),
    "requests": ("requests", "actions asked for, and where to report back"),
    "blueprint": ("blueprint", "nis2 tags and the mechanisms that it is shared with"),
    "provenance": ("provenance", "inputs, providers and permissions"),
    "changes": ("changes", "the change log"),
    "authors": ("changes", "ids of the officers who wrote each version"),
}
"""Parts that are no single fact, indicator or change: their section, and what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One piece of the content that a variant goes without."""

    component: str
    section: str
    what: str
    reason: str
    marking: Marking


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSheet:
    """One variant beside the full one: its own marking, its readers, and the difference."""

    variant: Variant
    marking: Marking
    readers: tuple[RecipientClass, ...]
    """Classes for which it is the fullest that domain 4.4 provides for under BPL."""
    kept: int
    """Components."""
    left_out: tuple[LeftOut, ...]


def sheet(ewn: EarlyWarning, variant: Variant) -> VariantSheet:
    """What ``variant`` keeps of ``ewn``, and each thing that it leaves out with the reason."""
    product = ewn.product()
    reduced = product.variant(variant)
    markings = {component.id: component.marking for component in product.components}
    return VariantSheet(
        variant=variant,
        marking=reduced.marking,
        readers=tuple(c for c in RecipientClass if made_for(c) is variant),
        kept=len(reduced.components),
        left_out=tuple(
            _left_out(ewn, omission.component, omission.reason, markings[omission.component])
            for omission in reduced.omissions
        ),
    )


def sheets(ewn: EarlyWarning) -> tuple[VariantSheet, ...]:
    """All variants, fullest first."""
    return tuple(sheet(ewn, variant) for variant in Variant)


def made_for(name: RecipientClass) -> Variant:
    """The variant that is meant for a class; each lock may still ask for a barer one."""
    opening = MATRIX[name][Column.BPL].opening
    if opening is Opening.SUMMARY:
        return Variant.SUMMARY
    if opening not in {Opening.SANITISED, Opening.TECHNICAL}:
        return Variant.FULL
    return Variant.SANITISED if name in NOT_FOR[Variant.TECHNICAL] else Variant.TECHNICAL


def sections_of(left_out: Iterable[LeftOut]) -> tuple[str, ...]:
    """The sections that are touched, each once, in their order."""
    return tuple(dict.fromkeys(each.section for each in left_out))


def _left_out(ewn: EarlyWarning, component: str, reason: str, marking: Marking) -> LeftOut:
    section, what = _named(ewn, component)
    return LeftOut(
        component=component, section=SECTIONS[section], what=what, reason=reason, marking=marking
    )


def _named(ewn: EarlyWarning, component: str) -> tuple[str, str]:
    """The field of the section, and in words for officers what stands there."""
    match component.split("-"):
        case ["fact", n]:
            return "facts", f"fact {n}: {ewn.facts.timeline[int(n) - 1].text}"
        case ["fact", n, "source"]:
            fact = ewn.facts.timeline[int(n) - 1]
            return "facts", f"source of fact {n} and why it is graded {fact.grade}: {fact.provider}"
        case ["indicator", n]:
            line = ewn.indicators[int(n) - 1]
            return "indicators", f"indicator {n}: {line.type} {defang(line.value, line.type)}"
        case ["change", version, n]:
            item = ewn.changes[int(version) - 1].items[int(n) - 1]
            return "changes", f"change {n} of entry {version}: {item.field} {item.verb}"
        case _:
            return _PARTS[component]
