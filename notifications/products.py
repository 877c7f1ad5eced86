"""A product as the locks see it: components with their markings, and its four variants.

A component keeps its own marking; the product's is computed from those that a variant keeps, never
typed in. Source: domain 4.4 (aggregation, retained-source rule), 5.3 (variants).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp, aggregate
from protocol.parties import RecipientClass


class Variant(StrEnum):
    """What of a product a recipient gets, fullest first."""

    FULL = "full"
    """For police and justice."""
    TECHNICAL = "technical"
    """For the Union's bodies and the CSIRTs: all but case and personal data, sources and PAP:RED."""
    SANITISED = "sanitised"
    """For private partners: also without what only authorities need."""
    SUMMARY = "summary"
    """For crisis communication."""


class Purpose(StrEnum):
    """What a component may be used for, and so who may be told."""

    CRIME = "crime"
    """Preventing and combating crime only: case and personal data, for police and justice (H0)."""
    SITUATION = "situation"
    """The authorities' common picture: for the Union's bodies and the CSIRTs as well."""
    PROTECTION = "protection"
    """Protecting networks and services as well: technical data, for everybody who defends them."""
    INFORMATION = "information"
    """Knowing what goes on: all that a summary consists of."""


def item_name(*content: str) -> str:
    """A name for a piece of content that is another as soon as the content is: 16 hex digits."""
    written = json.dumps(content, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


NOT_FOR: Mapping[Variant, frozenset[RecipientClass]] = {
    Variant.TECHNICAL: frozenset(
        {
            RecipientClass.INTERPOL,
            RecipientClass.PRIVATE_PARTNER,
            RecipientClass.CRISIS_COMMUNICATION,
        }
    ),
}
"""Classes that a variant is not written for, whatever its marking (domain 5.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of a product. What nobody stated is assumed to be the strictest: for police only."""

    id: str
    marking: Marking
    provider: str = ""
    """Whose permission counts; empty for what the centre itself wrote."""
    purpose: Purpose = Purpose.CRIME
    personal_data: bool = False
    source_identity: bool = False
    """Tells who the source is, or why it was graded as it was."""
    item: str = ""
    """Name under which a permission may be limited to it; empty: none that is so limited counts."""
    lowered: str = ""
    """Id of the report whose marking two people have lowered, where this comes from such a one."""

    @property
    def guarded(self) -> bool:
        """Whether it is above PUBLIC, or must be treated as if it were."""
        return self.marking.classification > Classification.PUBLIC or self.personal_data

    def unfit_for(self, variant: Variant) -> str | None:
        """Why the content itself is none of ``variant``'s business, or None."""
        summary = variant is Variant.SUMMARY
        narrow = variant in {Variant.SANITISED, Variant.SUMMARY}
        reasons = {
            "personal data": self.personal_data,
            "identity of a source": self.source_identity,
            "PAP:RED": self.marking.pap is Pap.RED,
            "for police and justice only": self.purpose is Purpose.CRIME,
            "for authorities only": narrow and self.purpose is Purpose.SITUATION,
            "not part of a summary": summary and self.purpose is not Purpose.INFORMATION,
        }
        if variant is Variant.FULL:
            return None
        return next((reason for reason, holds in reasons.items() if holds), None)

    def dropped_from(self, variant: Variant) -> str | None:
        """Why ``variant`` leaves this component out, or None when it is part of it.

        What only some addressees may have would keep the rest from being warned at all, so a
        reduced variant goes without it.
        """
        if variant is Variant.FULL:
            return None
        if unfit := self.unfit_for(variant):
            return unfit
        if codes := self.marking.handling_codes & {HandlingCode.H2, HandlingCode.H3}:
            return f"handling code {' '.join(sorted(codes))}"
        if self.marking.tlp is Tlp.RED:
            return "TLP:RED"
        if self.marking.classification >= Classification.RESTRICTED:
            return "classified RESTRICTED or above"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """A component that a variant leaves out, and why. For officers: the id may tell something."""

    component: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """One variant of a product, with the marking of what it keeps."""

    variant: Variant
    components: tuple[Component, ...]
    omissions: tuple[Omission, ...]
    marking: Marking
    kinds: tuple[Component, ...]
    """One component of each kind: those that differ in id and item only are one to most rules."""

    @property
    def guarded(self) -> bool:
        """Whether it may only go encrypted."""
        return any(component.guarded for component in self.components)

    def keeps(self, component_id: str) -> bool:
        return any(component.id == component_id for component in self.components)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that may be sent. Component ids are unique within it."""

    components: tuple[Component, ...]
    content: str = ""
    """Name of what it was made of, ``item_name`` of all of it."""
    _variants: dict[Variant, Reduced] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {component.id for component in self.components}
        if not ids or len(ids) < len(self.components):
            raise ValueError("a product needs components, and each its own id")
        # Computed once: a campaign asks for the same variants for each of its recipients.
        object.__setattr__(self, "_variants", {v: self._reduce(v) for v in Variant})

    def variant(self, variant: Variant) -> Reduced:
        """What ``variant`` keeps and leaves out; it may keep nothing."""
        return self._variants[variant]

    @property
    def digest(self) -> str:
        """SHA-256 over every component: another as soon as anything in the product is another."""
        parts = [_written(c) for c in self.components]
        written = json.dumps([self.content, parts], ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest()

    def _reduce(self, variant: Variant) -> Reduced:
        reasons = {c.id: c.dropped_from(variant) for c in self.components}
        kept = tuple(c for c in self.components if reasons[c.id] is None)
        return Reduced(
            variant=variant,
            components=kept,
            omissions=tuple(
                Omission(component=name, reason=why) for name, why in reasons.items() if why
            ),
            marking=aggregate([c.marking for c in kept]),
            kinds=tuple({replace(c, id="", item=""): c for c in reversed(kept)}.values()),
        )


def _written(part: Component) -> list[object]:
    return [
        part.id,
        part.item,
        part.marking.model_dump(mode="json"),
        part.provider,
        part.purpose,
        part.personal_data,
        part.source_identity,
        part.lowered,
    ]
