"""The sections of an Early Warning Notification, ``leerp-ewn/1``, field by field.

A must-field has no default. A conditional one is a ``Stated`` list or words whose default says that
nothing is identified or known; no field is ever blank (R67). Source: domain 5.3; R29 to R34.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from notifications.content import NONE_IDENTIFIED, UNKNOWN, ContactPoint, Part, Stated, Words
from notifications.products import Purpose, item_name
from protocol.grades import Grade
from protocol.markings import Marking, Pap
from protocol.parties import RecipientClass

NONE: Stated = (NONE_IDENTIFIED,)
MAX_BOTTOM_LINES = 5


class Precedence(StrEnum):
    """How fast it must be read."""

    ROUTINE = "ROUTINE"
    PRIORITY = "PRIORITY"
    IMMEDIATE = "IMMEDIATE"
    FLASH = "FLASH"


class Malicious(StrEnum):
    """The first question of the whole EU chain."""

    PRESUMED = "presumed"
    CONFIRMED = "confirmed"
    DOUBTFUL = "doubtful"


class CrossBorder(StrEnum):
    """The second question of the whole EU chain."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Outlook(StrEnum):
    """What the next six hours are expected to bring."""

    IMPROVING = "improving"
    STABLE = "stable"
    WORSENING = "worsening"


class Likelihood(StrEnum):
    """ICD 203 words of likelihood."""

    ALMOST_NO_CHANCE = "almost no chance"
    VERY_UNLIKELY = "very unlikely"
    UNLIKELY = "unlikely"
    ROUGHLY_EVEN = "roughly even chance"
    LIKELY = "likely"
    VERY_LIKELY = "very likely"
    ALMOST_CERTAIN = "almost certain"

    @property
    def meaning(self) -> str:
        """The range that the word stands for, in per cent."""
        bounds = ("1-5", "5-20", "20-45", "45-55", "55-80", "80-95", "95-99")
        return f"{bounds[list(Likelihood).index(self)]} %"


class Confidence(StrEnum):
    """Analytic confidence, apart from likelihood."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


class Header(Part):
    """Section 1. ``next_update`` is also the end of validity."""

    id: Words
    version: int = Field(ge=1)
    supersedes: Words
    precedence: Precedence
    next_update: AwareDatetime
    contact_points: tuple[ContactPoint, ...] = Field(min_length=1)
    acknowledge_by: AwareDatetime
    dissemination: tuple[RecipientClass, ...] = Field(min_length=1)


class BottomLine(Part):
    """Section 2: what, who is hit, what to do now."""

    lines: tuple[Words, ...] = Field(min_length=1, max_length=MAX_BOTTOM_LINES)
    malicious: Malicious
    cross_border: CrossBorder


class Status(Part):
    """Section 3: where the protocol stands."""

    triggered: bool
    at: AwareDatetime
    threat_class: Words
    impact: Words
    reach: Words
    matrix: Words
    triggers: Stated
    notes: Stated = NONE


class Fact(Part):
    """One fact with the window of time it is true for and its evaluation.

    ``grade`` is None while nobody has graded it; such an EWN does not pass its quality gate.
    """

    text: Words
    earliest: AwareDatetime
    latest: AwareDatetime
    grade: Grade | None
    grade_rationale: Words = "not stated"
    provider: Words
    own: bool = False
    """Whether the centre itself is the provider, so that nobody else need permit its use."""
    marking: Marking = Marking()
    personal_data: bool = False
    purpose: Purpose = Purpose.PROTECTION
    lowered: Words | None = None
    """Id of the report whose marking two people have lowered; it counts while consent stands."""

    @property
    def item(self) -> str:
        """Name under which a permission may be limited to this fact; the same in every version."""
        return item_name(self.text, str(self.earliest), str(self.latest), self.provider)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.latest < self.earliest:
            raise ValueError("the fact's time ends before it begins")
        return self


class Facts(Part):
    """Section 4."""

    timeline: tuple[Fact, ...] = Field(min_length=1)
    sectors: tuple[Words, ...] = Field(min_length=1)
    countries: tuple[Words, ...] = Field(min_length=1)
    victims: Words
    """Number of victims with its range, in words."""
    services: Stated = NONE
    vector: Words = UNKNOWN
    tooling: Stated = NONE


class TacticalAssessment(Part):
    """Section 5 (R30)."""

    meaning: Words
    outlook: Outlook
    likelihood: Likelihood
    likelihood_of: Words
    confidence: Confidence
    alternatives: tuple[Words, ...] = Field(min_length=1)
    gaps: tuple[Words, ...] = Field(min_length=1)


class LawEnforcement(Part):
    """Section 6, its part for police and justice."""

    offences: Stated = NONE
    modus_operandi: Stated = NONE
    linked_cases: Stated = NONE
    lead: Words = UNKNOWN


class Preservation(Part):
    """Section 6, its part for everybody who holds evidence."""

    preserve: tuple[Words, ...] = Field(min_length=1)
    do_not: Stated = NONE


class Mitigation(Part):
    """Section 7; measures may be none identified (R30)."""

    measures: Stated = NONE
    source: Words = UNKNOWN
    pap: Pap = Pap.AMBER


class IndicatorLine(Part):
    """One row of section 8."""

    type: Words
    value: Words
    first_seen: AwareDatetime | None = None
    last_seen: AwareDatetime | None = None
    valid_until: AwareDatetime
    grade: Grade
    provider: Words
    own: bool = False
    marking: Marking = Marking()
    personal_data: bool = False
    lowered: Words | None = None
    """Id of the report whose marking two people have lowered; it counts while consent stands."""

    @property
    def item(self) -> str:
        """As of a fact."""
        return item_name(self.type, self.value, self.provider)


class Request(Part):
    """One thing asked for."""

    action: Words
    of: Words
    by: AwareDatetime


class Requests(Part):
    """Section 9. ``report_back`` is a secure address."""

    actions: tuple[Request, ...] = ()
    report_back: Words


class Blueprint(Part):
    """Section 10: the nis2 tags for the Union's situational awareness (R34)."""

    root_cause: Words
    severity: Words
    outlook: Outlook
    sectors: tuple[Words, ...] = Field(min_length=1)
    shared_with: Stated = NONE


class Provenance(Part):
    """Section 11: what went in (R29)."""

    inputs: tuple[Words, ...] = Field(min_length=1)
    providers: tuple[Words, ...] = Field(min_length=1)
    permissions: Stated = NONE


class Verb(StrEnum):
    """What happened to a piece between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class ChangeItem(Part):
    """One difference to the version before, for whoever may read what it is about."""

    field: Words
    """Key of the table ``ewn`` in the phrases, such as ``countries``."""
    verb: Verb
    before: Words = UNKNOWN
    """What stood there; for what was added nothing did."""
    after: Words = UNKNOWN
    """What stands there now; for what was removed nothing does."""
    provider: Words = "the centre"
    own: bool = True
    marking: Marking = Marking()
    personal_data: bool = False
    purpose: Purpose = Purpose.PROTECTION


class Change(Part):
    """One entry of section 12: the officer's line, and the differences that were computed."""

    version: int = Field(ge=1)
    at: AwareDatetime
    by: Words
    text: Words
    items: tuple[ChangeItem, ...] = ()
