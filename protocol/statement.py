"""What assessment asks of a report, whichever value holds it: ``ReportContent`` or one that reads faster.

Source: domain 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protocol.grades import InformationAccuracy, SourceReliability
from protocol.report import Cause, Disruption, IndicatorType


class NamedReporter(Protocol):
    """Who says it, see ``Reporter``."""

    @property
    def name(self) -> str: ...


class HitParty(Protocol):
    """Somebody or something that is hit, see ``Affected``."""

    @property
    def kind(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def count_min(self) -> int: ...
    @property
    def count_max(self) -> int | None: ...
    @property
    def derived(self) -> bool: ...


class StatedImpact(Protocol):
    """What is said of the effect, see ``Impact``."""

    @property
    def criteria(self) -> Sequence[str]: ...
    @property
    def disruption(self) -> Disruption: ...
    @property
    def services(self) -> Sequence[str]: ...
    @property
    def loss_eur_min(self) -> float | None: ...
    @property
    def risk_to_life(self) -> bool: ...
    @property
    def self_propagating(self) -> bool: ...


class StatedCause(Protocol):
    """What is said of the cause, see ``CauseClaim``."""

    @property
    def value(self) -> Cause: ...
    @property
    def clear(self) -> bool: ...
    @property
    def by_authority_in_charge(self) -> bool: ...


class StatedRelation(Protocol):
    """A relation to another report, see ``Relation``."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...


class Statement(Protocol):
    """The part of a report that counts as evidence, see ``ReportContent``."""

    @property
    def reporter(self) -> NamedReporter: ...
    @property
    def affected(self) -> Sequence[HitParty]: ...
    @property
    def impact(self) -> StatedImpact: ...
    @property
    def cause(self) -> StatedCause: ...
    @property
    def technical_failure_indicated(self) -> str: ...
    @property
    def relations(self) -> Sequence[StatedRelation]: ...


class NamedIndicator(Protocol):
    """One observable, see ``Indicator``."""

    @property
    def type(self) -> IndicatorType: ...
    @property
    def value(self) -> str: ...


class Naming(Protocol):
    """The part of a report by which it links to others, see ``ReportContent``."""

    @property
    def source_id(self) -> str: ...
    @property
    def indicators(self) -> Sequence[NamedIndicator]: ...
    @property
    def relations(self) -> Sequence[StatedRelation]: ...


class StatedGrade(Protocol):
    """A 4x4 grade as its provider states it, see ``Grade``."""

    @property
    def source(self) -> SourceReliability: ...
    @property
    def information(self) -> InformationAccuracy: ...


class StatedEvaluation(Protocol):
    """The provider's own assessment, see ``Evaluation``."""

    @property
    def scheme(self) -> str: ...
    @property
    def original(self) -> str: ...
    @property
    def grade(self) -> StatedGrade: ...


class Graded(Protocol):
    """The part of a report that its first grade rests on, see ``ReportContent``."""

    @property
    def reporter(self) -> NamedReporter: ...
    @property
    def first_hand(self) -> bool | None: ...
    @property
    def evaluation(self) -> StatedEvaluation | None: ...
