"""The profile: all numbers and lists of the protocol, as data with an id and a version.

A running incident keeps the profile it started with (design section 4; R14, R50).
"""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from protocol.grades import Grade
from protocol.ladder import USUAL, Ladder, Rung, check_ladder, rungs, scaled
from protocol.matrix import Matrix, MatrixRules, check
from protocol.parties import RecipientClass, Role
from protocol.report import ImpactLevel, IndicatorType
from protocol.stages import WITHOUT_RULES, Gate, NoticeKind, Stage

MOST_VICTIMS_NAMED = 100
"""No rule of detection may ask for more victims by name: so many are told apart in a storm."""
LATER_KINDS = WITHOUT_RULES | {NoticeKind.DRILL, NoticeKind.WITHDRAWAL, NoticeKind.BLUEPRINT}
"""Notices that the profile of an incident which runs already may not know; it sends none of them."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GateRoles(_Part):
    """Roles that may propose, and roles one of which the second person must have."""

    propose: frozenset[Role]
    approve: frozenset[Role]


class ClassificationRules(MatrixRules):
    """The matrix, and the thresholds of gates and triggers (domain 3.3, 3.4)."""

    probable: float
    campaign_incidents: int
    campaign_states: int
    campaign_window: timedelta
    launch_grade_alone: Grade
    launch_grade_pair: Grade
    reassess_after: timedelta
    essential_sectors: frozenset[str]

    @field_validator("launch_grade_alone", "launch_grade_pair", mode="before")
    @classmethod
    def _grade_from_text(cls, value: object) -> object:
        return Grade.parse(value) if isinstance(value, str) else value


class DetectionRules(_Part):
    """When a cluster of reports becomes a detection (R7)."""

    victim_states: int
    victim_organisations: int = Field(le=MOST_VICTIMS_NAMED)
    impact: ImpactLevel
    critical_impact: ImpactLevel


class CorrelationRules(_Part):
    """Weights of shared indicators; two reports link when the shared weight reaches ``threshold``."""

    window: timedelta
    threshold: float
    weights: dict[IndicatorType, float]
    hub_reports: int = 20
    """An indicator that so many reports of a cluster name, ..."""
    hub_sources: int = 5
    """... of so many sources, may hold together what has nothing else in common."""


class NoticeRules(_Part):
    """Recipients by class, template folder, and the ladder of reminders of one notice."""

    template: str
    classes: tuple[RecipientClass, ...]
    acknowledge: bool
    ladder: Ladder = USUAL
    ladder_of: dict[RecipientClass, Ladder] = Field(default_factory=dict)
    """For classes that are followed up in another way."""
    give_up_after: timedelta = timedelta(hours=24)

    @model_validator(mode="after")
    def _ladders_hold(self) -> NoticeRules:
        for ladder in (self.ladder, *self.ladder_of.values()):
            check_ladder(ladder, self.give_up_after)
        return self

    @property
    def acknowledge_within(self) -> timedelta:
        """By when somebody has to answer who does not want to be reminded."""
        return self.ladder[0].after

    def rungs(self) -> tuple[Rung, ...]:
        """The ladders of all classes as the campaign climbs them."""
        return rungs(self.ladder, self.ladder_of)

    def with_clock(self, factor: float) -> NoticeRules:
        """The same rules with every duration divided by ``factor``."""
        return self.model_copy(
            update={
                "ladder": scaled(self.ladder, factor),
                "ladder_of": {
                    name: scaled(ladder, factor) for name, ladder in self.ladder_of.items()
                },
                "give_up_after": self.give_up_after / factor,
            }
        )


class WatchRules(_Part):
    """Windows and rhythms that keep an incident under observation."""

    reopen_within: timedelta
    osint_review_every: timedelta
    ewn_valid_for: timedelta


class ReassessmentRules(_Part):
    """How people are told of another recommendation, and how soon they have to look (domain 3.4)."""

    tell_at_most_every: timedelta = timedelta(minutes=10)
    """What turns back and forth within this time is told once, with where it ended."""
    verify_within: timedelta = timedelta(minutes=60)
    """For each claim that a held launch waits for."""
    look_again_within: timedelta = timedelta(minutes=30)
    """When the outlook window has passed."""


class SourceRules(_Part):
    """When the registry of sources wants looking after, and what outcomes suggest a letter (6.2)."""

    letter_valid_for: timedelta = timedelta(days=365)
    """How long a person's letter stands before somebody should look at it again."""
    silent_after: timedelta = timedelta(days=30)
    quota_looked_back: timedelta = timedelta(days=7)
    outcome_z: float = Field(default=1.96, gt=0)
    """Width of the interval in standard deviations: 1.96 for 95 in 100."""
    reliable_in_most: float = Field(default=0.5, ge=0, le=1)
    reliable_in_all: float = Field(default=0.9, ge=0, le=1)

    @model_validator(mode="after")
    def _all_is_more_than_most(self) -> SourceRules:
        if self.reliable_in_all < self.reliable_in_most:
            raise ValueError("reliable_in_all must not be less than reliable_in_most")
        return self


class Profile(_Part):
    """One profile, read whole and checked when loaded."""

    id: str
    version: int
    matrix: str
    exclude_human_error: bool
    stage_targets: dict[Stage, timedelta]
    roles: dict[Gate, GateRoles]
    classification: ClassificationRules
    detection: DetectionRules
    correlation: CorrelationRules
    notices: dict[NoticeKind, NoticeRules]
    team_skills: dict[str, tuple[str, ...]]
    watch: WatchRules
    sources: SourceRules = SourceRules()
    reassessment: ReassessmentRules = ReassessmentRules()

    @model_validator(mode="after")
    def _complete(self) -> Profile:
        # A drill is no part of the protocol: incidents run whose profile does not know it.
        given = {*self.stage_targets, *self.roles, *self.notices}
        missing = [
            name
            for kinds in (Stage, Gate, NoticeKind)
            for name in kinds
            if name not in given and name not in LATER_KINDS
        ]
        if missing:
            raise ValueError(f"the profile leaves out {', '.join(missing)}")
        return self

    @property
    def name(self) -> str:
        """Id and version, as it stands on every record."""
        return f"{self.id}/{self.version}"

    @classmethod
    def from_toml(cls, text: str) -> Profile:
        """Read a profile from the text of its file, see ``of_data``.

        Raises:
            pydantic.ValidationError, MisfitError: as ``of_data``.
            tomllib.TOMLDecodeError: not TOML.
        """
        return cls.of_data(tomllib.loads(text))

    @classmethod
    def of_data(cls, data: Any) -> Profile:
        """Read a profile from the values of its file, and check its matrix.

        A profile that an incident already runs with is read by ``model_validate``: it is not judged
        again.

        Raises:
            pydantic.ValidationError: a value is missing, unknown or of the wrong type.
            MisfitError: the matrix is not monotone or not complete.
        """
        found = cls.model_validate(data)
        check(found.classification, under=("classification",))
        return found

    def matrix_in_force(self) -> Matrix:
        """The profile's own matrix."""
        values = {name: getattr(self.classification, name) for name in MatrixRules.model_fields}
        return Matrix(matrix=self.matrix, about=f"matrix of profile {self.name}", **values)

    def with_matrix(self, matrix: Matrix) -> Profile:
        """The same profile with another matrix; gates, triggers and all else stay."""
        rules = self.classification.model_copy(update=matrix.rules())
        return self.model_copy(update={"matrix": matrix.matrix, "classification": rules})

    def with_clock(self, factor: float) -> Profile:
        """The same profile with every duration divided by ``factor``, for drills on a fast clock."""
        targets = {stage: target / factor for stage, target in self.stage_targets.items()}
        notices = {kind: rules.with_clock(factor) for kind, rules in self.notices.items()}
        watch = WatchRules(
            reopen_within=self.watch.reopen_within / factor,
            osint_review_every=self.watch.osint_review_every / factor,
            ewn_valid_for=self.watch.ewn_valid_for,
        )
        again = self.reassessment
        return self.model_copy(
            update={
                "stage_targets": targets,
                "notices": notices,
                "watch": watch,
                "classification": self.classification.model_copy(
                    update={"reassess_after": self.classification.reassess_after / factor}
                ),
                "reassessment": ReassessmentRules(
                    tell_at_most_every=again.tell_at_most_every / factor,
                    verify_within=again.verify_within / factor,
                    look_again_within=again.look_again_within / factor,
                ),
            }
        )
