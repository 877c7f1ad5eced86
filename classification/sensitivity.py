"""What would change it: the smallest sets of single changes that reach another class or recommendation.

For each goal (a higher class, a lower one, each other recommendation) the search looks at all sets
of one change of ``changes_of``, then at all of two, and so on, and ends at the first size at which
the goal is reached: no smaller set reaches it. It is exact. A set is not looked at only where it
cannot reach the goal: every set that does has a change among those that can move what still keeps
the goal away (its ``levers``), so that the search goes on with those alone; and of sets that differ
by names of reports that are alike, one is looked at. Where a goal would take more than ``TRIALS``
trials of two and more changes it is given up at that size, and ``searched`` says up to which size
every set was looked at.
Source: domain 3.3, 3.4; R13, R15.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from classification.changes import Change, ChangeKind, Lever
from classification.evidence import Evidence
from classification.findings import Findings
from classification.gates import GateId
from classification.matrix import ThreatClass
from classification.space import changes_of
from classification.trial import Standing, Trial
from protocol.profile import Profile
from protocol.stages import Recommendation

AT_MOST = 3
"""Changes that are looked at together."""
TRIALS = 20_000
"""Trials for one goal, beside those of one change alone, which are never given up."""
SHOWN = 50
"""So many sets of one goal stand on the record; the rest is a number."""


class Goal(StrEnum):
    """Another result than today's."""

    HIGHER_CLASS = "higher-class"
    LOWER_CLASS = "lower-class"
    LAUNCH = Recommendation.LAUNCH.value
    HOLD_CORROBORATE = Recommendation.HOLD_CORROBORATE.value
    MONITOR = Recommendation.MONITOR.value
    NORMAL_PROCEDURE = Recommendation.NORMAL_PROCEDURE.value
    NO_EU_NEXUS = Recommendation.NO_EU_NEXUS.value
    OUT_OF_SCOPE = Recommendation.OUT_OF_SCOPE.value


class SingleChange(BaseModel):
    """One change, in words that complete a sentence with "if", and as data."""

    model_config = ConfigDict(frozen=True)

    kind: ChangeKind
    words: str
    report: str | None = None
    grade: str | None = None
    """What the report would be graded."""
    alike: int = 1
    """How many reports, states or triggers could stand here."""


class Way(BaseModel):
    """One set of changes, and where the incident would stand after it."""

    model_config = ConfigDict(frozen=True)

    changes: tuple[SingleChange, ...]
    threat_class: ThreatClass
    recommendation: Recommendation


class GoalWays(BaseModel):
    """The smallest sets that reach one goal."""

    model_config = ConfigDict(frozen=True)

    goal: Goal
    size: int | None
    """Changes in each set; None where no set was found."""
    searched: int
    """Every set of up to so many changes was looked at."""
    ways: tuple[Way, ...] = ()
    total: int = 0
    """All sets that were found, of which ``ways`` are the first."""


class WhatWouldChange(BaseModel):
    """For each goal the smallest sets of changes; goals that are met today are left out."""

    model_config = ConfigDict(frozen=True)

    threat_class: ThreatClass
    recommendation: Recommendation
    changes: int
    """Single changes that were looked at."""
    goals: tuple[GoalWays, ...]


def what_would_change(
    evidence: Iterable[Evidence], findings: Findings, profile: Profile, *, at_most: int = AT_MOST
) -> WhatWouldChange:
    """Search for the smallest sets of up to ``at_most`` changes, goal by goal.

    Raises:
        Refused: ``conflicting-evidence``, see ``collect``.
    """
    trial = Trial(evidence, findings, profile)
    changes = changes_of(trial.reports.values(), trial.claims, findings, profile, at_most=at_most)
    now = trial.standing()
    found = (
        (goal, _Search(trial, changes, goal, now)) for goal in Goal if not _met(goal, now, now)
    )
    return WhatWouldChange(
        threat_class=now.threat_class,
        recommendation=now.recommendation,
        changes=len(changes),
        goals=tuple(_on_record(goal, search, at_most) for goal, search in found),
    )


def smallest_sets(
    trial: Trial, changes: Sequence[Change], goal: Goal, *, at_most: int
) -> tuple[int, tuple[tuple[Change, ...], ...]]:
    """The smallest sets of ``changes`` that reach ``goal``, and up to which size all were looked at."""
    return _Search(trial, changes, goal, trial.standing()).smallest(at_most)


def _on_record(goal: Goal, search: _Search, at_most: int) -> GoalWays:
    searched, sets = search.smallest(at_most)
    return GoalWays(
        goal=goal,
        size=len(sets[0]) if sets else None,
        searched=searched,
        ways=tuple(search.way(made) for made in sets[:SHOWN]),
        total=len(sets),
    )


class _Search:
    """The search for one goal; ``trial`` stands where the incident stands today between calls."""

    def __init__(self, trial: Trial, changes: Sequence[Change], goal: Goal, now: Standing) -> None:
        self._trial = trial
        self._changes = changes
        self._goal = goal
        self._now = now
        self._pools: dict[frozenset[Lever], list[int]] = {}
        self._left = TRIALS
        self._seen: set[frozenset[int]] = set()
        self._found: dict[tuple[tuple[str, str, str], ...], tuple[int, ...]] = {}

    def smallest(self, at_most: int) -> tuple[int, tuple[tuple[Change, ...], ...]]:
        """See ``smallest_sets``."""
        self._left = TRIALS
        for size in range(1, at_most + 1):
            self._seen, self._found = set(), {}
            complete = self._extend(frozenset(), size)
            if self._found or not complete:
                sets = tuple(
                    tuple(self._changes[place] for place in places)
                    for places in sorted(self._found.values())
                )
                return size if complete else size - 1, sets
        return at_most, ()

    def way(self, changes: tuple[Change, ...]) -> Way:
        """A set for the record."""
        standing = self._trial.tried(changes)
        return Way(
            changes=tuple(_single(change) for change in changes),
            threat_class=standing.threat_class,
            recommendation=standing.recommendation,
        )

    def _extend(self, made: frozenset[int], more: int) -> bool:
        """Try all sets of ``more`` changes upon those that are ``made``; False when given up."""
        unmet = _unmet(self._goal, self._trial.standing())
        for place in self._worth_trying(unmet, made, last=more == 1):
            bigger = made | {place}
            if bigger in self._seen:
                continue
            self._seen.add(bigger)
            if self._left == 0:
                return False
            self._left -= len(bigger) > 1
            self._trial.make(self._changes[place])
            complete = True
            if more > 1:
                complete = self._extend(bigger, more - 1)
            elif _met(self._goal, self._trial.standing(), self._now):
                self._keep(bigger)
            self._trial.undo()
            if not complete:
                return False
        return True

    def _worth_trying(
        self, unmet: Sequence[frozenset[Lever]], made: frozenset[int], *, last: bool
    ) -> list[int]:
        slots = {self._changes[place].slot for place in made}
        used = {(c.family, c.rank) for c in (self._changes[place] for place in made)}
        pools = [self._pool(levers) for levers in unmet]
        # The last change has to move all that still keeps the goal away.
        pool = sorted(set.intersection(*map(set, pools))) if last else min(pools, key=len)
        return [
            place
            for place in pool
            if (change := self._changes[place]).slot not in slots
            and (change.rank == 0 or (change.family, change.rank - 1) in used)
        ]

    def _pool(self, levers: frozenset[Lever]) -> list[int]:
        if levers not in self._pools:
            self._pools[levers] = [
                place for place, change in enumerate(self._changes) if change.levers & levers
            ]
        return self._pools[levers]

    def _keep(self, places: frozenset[int]) -> None:
        key = tuple(sorted(self._changes[place].sort for place in places))
        kept = self._found.get(key)
        mine = tuple(sorted(places))
        self._found[key] = mine if kept is None else min(kept, mine)


def _single(change: Change) -> SingleChange:
    report = change.report
    regraded = change.becomes if change.kind is ChangeKind.REGRADED else None
    return SingleChange(
        kind=change.kind,
        words=change.words,
        report=report.report_id if report else None,
        grade=str(regraded.grade) if regraded else None,
        alike=change.alike,
    )


def _met(goal: Goal, standing: Standing, now: Standing) -> bool:
    match goal:
        case Goal.HIGHER_CLASS:
            return standing.threat_class > now.threat_class
        case Goal.LOWER_CLASS:
            return standing.threat_class < now.threat_class
        case _:
            return standing.recommendation.value == goal.value


def _unmet(goal: Goal, standing: Standing) -> list[frozenset[Lever]]:
    """What keeps the goal away, each as the levers of all that could move it; never empty."""
    if goal is Goal.HIGHER_CLASS:
        return [frozenset({Lever.CLASS_UP})]
    if goal is Goal.LOWER_CLASS:
        return [frozenset({Lever.CLASS_DOWN})]
    in_scope = GateId.G1 in standing.passed
    if goal is Goal.OUT_OF_SCOPE or not in_scope:
        return [frozenset({Lever.CAUSE})] + ([] if in_scope else list(_in_scope(goal, standing)))
    return list(_in_scope(goal, standing))


def _in_scope(goal: Goal, standing: Standing) -> Iterator[frozenset[Lever]]:
    """As ``_unmet``, of a goal that needs G1 passed, beside that gate."""
    low = standing.threat_class in (ThreatClass.C0, ThreatClass.C1)
    if goal in (Goal.MONITOR, Goal.NORMAL_PROCEDURE):
        if standing.wants_launch:
            yield frozenset({Lever.CLASS_DOWN, Lever.TRIGGER_DOWN})
        if goal is Goal.MONITOR and low:
            yield frozenset({Lever.CLASS_UP})
        if goal is Goal.NORMAL_PROCEDURE and not low:
            yield frozenset({Lever.CLASS_DOWN})
        return
    if not standing.wants_launch:
        yield frozenset({Lever.CLASS_UP, Lever.TRIGGER_UP})
    nexus = GateId.G2 in standing.passed
    if goal is Goal.NO_EU_NEXUS:
        if nexus:
            yield frozenset({Lever.NEXUS_DOWN})
        return
    if not nexus:
        yield frozenset({Lever.NEXUS_UP})
    yield from _graded_and_confirmed(goal, standing)


def _graded_and_confirmed(goal: Goal, standing: Standing) -> Iterator[frozenset[Lever]]:
    graded, confirmed = GateId.G3 in standing.passed, GateId.G4 in standing.passed
    if goal is Goal.HOLD_CORROBORATE:
        if graded and confirmed:
            yield frozenset({Lever.CONFIRM_DOWN, Lever.CLASS_UP, Lever.TRIGGER_DOWN})
        return
    if not graded:
        yield frozenset({Lever.GRADED})
    if not confirmed:
        yield frozenset({Lever.CONFIRM_UP, Lever.CLASS_DOWN, Lever.TRIGGER_UP})
