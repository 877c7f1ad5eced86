"""What has to be verified while a launch is held: which claims are not confirmed, by which reports.

It follows from the gates G3 and G4: of each level that is claimed and not confirmed, the claims that
would lift the confirmed level to it, or without which it would fall.
Source: domain 3.4 (G4: urgent verification tasks and a timer); R11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from classification.claims import Claims, Picture
from classification.collecting import collect, disrupted_sectors, stated_criteria
from classification.evidence import Evidence
from classification.findings import Findings
from classification.matrix import ReachLevel, impact_level, reach_level
from classification.support import LISTED, Reports
from protocol.countries import EU_NEXUS
from protocol.profile import ClassificationRules, Profile
from protocol.report import ImpactLevel

GRADING = "grading"
"""Subject of the task to grade what nobody has graded (G3)."""

Holds = Callable[[Evidence], bool]


class Verification(BaseModel):
    """One claim to verify. ``subject`` names it and stays the same while the reports change."""

    model_config = ConfigDict(frozen=True)

    subject: str
    level: str
    """The level that stands on it, such as ``I4``; empty for grading."""
    claim: str
    """What is claimed, in words of ours and of the profile; nothing that a report says."""
    wanted: str
    """What would settle it."""
    reports: Reports
    """Those that claim it, the best-graded first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    live: tuple[Evidence, ...]
    claims: Claims
    claimed: Picture
    confirmed: Picture
    expected: frozenset[str]
    """States that officers hold for probably affected."""
    rules: ClassificationRules


def verifications(
    evidence: Sequence[Evidence], findings: Findings, profile: Profile
) -> tuple[Verification, ...]:
    """What stands between these reports and a launch for want of confirmation; empty if nothing does.

    Raises:
        Refused: ``conflicting-evidence``, as ``assess``.
    """
    rules = profile.classification
    claims = collect(evidence, rules)
    live = {item.report_id: item for item in evidence if not item.retracted}
    case = _Case(
        live=tuple(sorted(live.values(), key=_best_first)),
        claims=claims,
        claimed=claims.claimed(rules),
        confirmed=claims.confirmed(rules),
        expected=findings.countries_at_least(rules.probable),
        rules=rules,
    )
    return (*_grading(case), *_impact(case), *_reach(case))


def _grading(case: _Case) -> Iterable[Verification]:
    if case.claims.ungraded:
        yield Verification(
            subject=GRADING,
            level="",
            claim="reports that nobody has graded",
            wanted="a grade for each, X4 where nobody can judge (R11)",
            reports=_reports(case, lambda item: item.grade is None),
        )


def _impact(case: _Case) -> Iterable[Verification]:
    rules = case.rules
    held = impact_level(case.confirmed.criteria, rules)
    open_criteria = case.claimed.criteria - case.confirmed.criteria
    for criterion in sorted(open_criteria, key=lambda c: (-_rank(rules.impact_criteria[c]), c)):
        level = rules.impact_criteria[criterion]
        if level > held:
            yield Verification(
                subject=f"impact/{criterion}",
                level=level,
                claim=f"impact {level} by the criterion {criterion}",
                wanted=_wanted(rules),
                reports=_reports(case, _states(criterion, case)),
            )


def _reach(case: _Case) -> Iterable[Verification]:
    claimed, held = _level(case.claimed, case), _level(case.confirmed, case)
    if held >= claimed:
        return
    differing = [part for part in _PARTS if part.open_in(case)]
    carrying = [part for part in differing if part.carries(case, claimed)]
    for part in carrying or differing:
        yield Verification(
            subject=f"reach/{part.name}",
            level=claimed,
            claim=f"reach {claimed} by {part.words(case)}",
            wanted=_wanted(case.rules),
            reports=_reports(case, part.holds(case)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One of the numbers and lists that the reach is read from."""

    name: str
    field: str
    words: Callable[[_Case], str]
    holds: Callable[[_Case], Holds]

    def open_in(self, case: _Case) -> bool:
        return bool(getattr(case.claimed, self.field) != getattr(case.confirmed, self.field))

    def carries(self, case: _Case, claimed: ReachLevel) -> bool:
        """Whether it would lift what is confirmed to the level, or the level falls without it."""
        with_it = replace(case.confirmed, **{self.field: getattr(case.claimed, self.field)})
        without = replace(case.claimed, **{self.field: getattr(case.confirmed, self.field)})
        return _level(with_it, case) >= claimed or _level(without, case) < claimed


def _open_states(case: _Case) -> frozenset[str]:
    return (case.claimed.countries - case.confirmed.countries) & EU_NEXUS


_PARTS = (
    _Part(
        name="states",
        field="countries",
        words=lambda case: f"victims in {', '.join(sorted(_open_states(case)))}",
        holds=lambda case: lambda item: bool(item.countries & _open_states(case)),
    ),
    _Part(
        name="propagation",
        field="self_propagating",
        words=lambda _case: "propagation by itself",
        holds=lambda _case: lambda item: item.self_propagating,
    ),
    _Part(
        name="victims",
        field="victims",
        words=lambda case: f"at least {case.claimed.victims} victims",
        holds=lambda _case: (
            lambda item: bool(
                item.victims_min or item.organisations_min or item.organisations or item.countries
            )
        ),
    ),
    _Part(
        name="organisations",
        field="organisations",
        words=lambda case: f"at least {case.claimed.organisations} organisations hit",
        holds=lambda _case: lambda item: bool(item.organisations or item.organisations_min),
    ),
)


def _level(picture: Picture, case: _Case) -> ReachLevel:
    return reach_level(picture, case.expected, case.rules)[0]


def _states(criterion: str, case: _Case) -> Holds:
    """Reports that state a criterion; those of disrupted sectors where it follows from them."""

    def holds(item: Evidence) -> bool:
        stated = stated_criteria(item, case.rules)
        if criterion in case.claims.criteria:
            return criterion in stated
        return bool(disrupted_sectors(item, stated, case.rules))

    return holds


def _reports(case: _Case, holds: Holds) -> Reports:
    ids = [item.report_id for item in case.live if holds(item)]
    return Reports(ids=tuple(ids[:LISTED]), total=len(ids))


def _wanted(rules: ClassificationRules) -> str:
    return (
        f"one report of {rules.launch_grade_alone} or better, or two independent ones of "
        f"{rules.launch_grade_pair} or better"
    )


def _best_first(item: Evidence) -> tuple[str, str]:
    return ("~" if item.grade is None else str(item.grade), item.report_id)


def _rank(level: ImpactLevel) -> int:
    return list(ImpactLevel).index(level)
