"""Changes to one report: another grade, or its withdrawal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from classification.changes import Change, ChangeKind, Lever
from classification.claims import FactKind
from classification.collecting import strengths_of
from classification.evidence import Evidence
from classification.kinds import CAUSE, SECTOR_DISRUPTED, Kind, carries_trigger
from protocol.countries import EU_NEXUS
from protocol.grades import Grade
from protocol.profile import ClassificationRules, Profile

_OF_CLASS = frozenset(
    {
        FactKind.CRITERION,
        FactKind.COUNTRY,
        FactKind.ORGANISATIONS,
        FactKind.VICTIMS,
        FactKind.SELF_PROPAGATION,
        FactKind.DISRUPTION,
        SECTOR_DISRUPTED,
    }
)


def changed_reports(kinds: Iterable[Kind], profile: Profile) -> Iterator[Change]:
    """Each report of each kind with every other grade that confirms more or less, and withdrawn."""
    targets = least_grades(profile.classification)
    for number, kind in enumerate(kinds):
        for rank, report in enumerate(kind.reports):
            name = _name(report, kind)
            for (alone, pair), grade in targets.items():
                levers = _regraded_moves(kind, alone=alone, pair=pair)
                if levers:
                    yield Change(
                        kind=ChangeKind.REGRADED,
                        words=f"{name} were graded {grade}",
                        becomes=replace(report, grade=grade),
                        levers=levers,
                        **_subject(kind, number, rank),
                    )
            if levers := _withdrawn_moves(kind):
                yield Change(
                    kind=ChangeKind.WITHDRAWN,
                    words=f"{name} were withdrawn",
                    becomes=replace(report, retracted=True),
                    levers=levers,
                    **_subject(kind, number, rank),
                )


def _subject(kind: Kind, number: int, rank: int) -> dict[str, Any]:
    report = kind.reports[rank]
    return {
        "slot": f"report {report.report_id}",
        "family": f"reports {number}",
        "rank": rank,
        "alike": kind.alike,
        "report": report,
    }


def least_grades(rules: ClassificationRules) -> dict[tuple[bool, bool], Grade]:
    """The worst grade that is worth so much, by whether it is good enough alone and as a pair."""
    worst_last = sorted(strengths_of(rules).values(), key=lambda s: s.place)
    return {(s.alone, s.pair): Grade.parse(s.grade) for s in worst_last if s.grade}


def _name(report: Evidence, kind: Kind) -> str:
    grade = "ungraded" if report.grade is None else report.grade
    alike = f", or one of {kind.alike - 1} like it" if kind.alike > 1 else ""
    return f"report {report.report_id} ({grade}{alike})"


def _regraded_moves(kind: Kind, *, alone: bool, pair: bool) -> frozenset[Lever]:
    moves: set[Lever] = set()
    if not kind.graded:
        moves.add(Lever.GRADED)
    if (alone, pair) != (kind.alone, kind.pair) and CAUSE in kind.sorts:
        moves.add(Lever.CAUSE)
    if kind.contributions:
        if alone > kind.alone or pair > kind.pair:
            moves.add(Lever.CONFIRM_UP)
        if alone < kind.alone or pair < kind.pair:
            moves.add(Lever.CONFIRM_DOWN)
    return frozenset(moves)


def _withdrawn_moves(kind: Kind) -> frozenset[Lever]:
    moves = {Lever.CAUSE} if CAUSE in kind.sorts else set()
    if not kind.graded:
        moves.add(Lever.GRADED)
    if kind.contributions and (kind.alone or kind.pair):
        moves.add(Lever.CONFIRM_DOWN)
    if any(sort in _OF_CLASS for sort, *_ in kind.fragile):
        moves.add(Lever.CLASS_DOWN)
    if carries_trigger(kind.fragile):
        moves.add(Lever.TRIGGER_DOWN)
    if any(sort == FactKind.COUNTRY and rest[0] in EU_NEXUS for sort, *rest in kind.fragile):
        moves.add(Lever.NEXUS_DOWN)
    return frozenset(moves)
