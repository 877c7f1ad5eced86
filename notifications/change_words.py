"""What would change a class or recommendation, in words, for the terminal and for the document.

Source: domain 3.3, 3.4; R13, R15.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from classification.sensitivity import GoalWays, WhatWouldChange

WAYS_READ = 3
"""So many sets of changes are read out for one goal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """One line about one goal: a condition with what would follow from it, or a remark."""

    goal: str
    """Such as ``higher class``."""
    condition: str = ""
    """Completes a sentence that begins with "if"."""
    result: str = ""
    remark: str = ""

    def __str__(self) -> str:
        said = self.remark or f"if {self.condition} (then {self.result})"
        return f"{self.goal}: {said}"


def change_lines(of: WhatWouldChange) -> Iterator[ChangeLine]:
    """The smallest sets of changes, goal by goal, and what else is to be said of each goal."""
    for goal in of.goals:
        name = goal.goal.replace("-", " ")
        if goal.size is None:
            none = f"none with up to {goal.searched} of {of.changes} possible changes"
            yield ChangeLine(goal=name, remark=none)
            continue
        for way in goal.ways[:WAYS_READ]:
            yield ChangeLine(
                goal=name,
                condition=" and ".join(change.words for change in way.changes),
                result=f"{way.threat_class}, {way.recommendation}",
            )
        if remark := _remark(goal):
            yield ChangeLine(goal=name, remark=remark)


def _remark(goal: GoalWays) -> str:
    more = goal.total - len(goal.ways[:WAYS_READ])
    others = f"and {more} other set(s) of {goal.size} change(s)" if more else ""
    if goal.size is None or goal.searched >= goal.size:
        return others
    return f"{others}; there may be more of this size".removeprefix("; ")
