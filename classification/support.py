"""Who supports a claim, and whether that confirms it.

A claim is confirmed by one item of the profile's grade for a single item, or by two items of
independent origin of its grade for a pair. Everything here can be counted down as well as up, so
that a changed incident is judged without reading its reports again.
Source: domain 3.4 (G4); R11, R13.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from heapq import nlargest
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from classification.evidence import Evidence

LISTED = 10
"""So many report ids stand on a record; the rest is a number."""
NAMED = 3
"""So many of them stand in a sentence."""

Key = TypeVar("Key")


class Reports(BaseModel):
    """The best-graded reports behind a statement, and how many there are."""

    model_config = ConfigDict(frozen=True)

    ids: tuple[str, ...] = ()
    total: int = 0

    def __str__(self) -> str:
        more = f" and {self.total - NAMED} more" if self.total > NAMED else ""
        return f"{self.total} report(s): {', '.join(self.ids[:NAMED])}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """What a grade is worth for confirming, and its place among the grades, best first."""

    grade: str
    """As text; empty while nobody has graded."""
    place: tuple[int, int, int]
    alone: bool
    pair: bool


@dataclass(slots=True)
class Support:
    """Who supports one claim; filled while the evidence is read, best-graded items first."""

    named: list[Evidence] = field(default_factory=list)
    """The first ``LISTED`` that were read; counting one less takes no name away."""
    total: int = 0
    singles: int = 0
    """Items that are good enough alone."""
    origins: dict[str, int] = field(default_factory=dict)
    """Items that are good enough for a pair, by origin."""

    def count(self, origin: str, strength: Strength, by: int) -> None:
        """Count ``by`` items more (or less) of this origin and strength."""
        self.total += by
        if strength.alone:
            self.singles += by
        if strength.pair:
            bump(self.origins, origin, by)

    def name(self, item: Evidence) -> None:
        """Keep ``item`` for the record while there is room."""
        if len(self.named) < LISTED:
            self.named.append(item)

    @property
    def alone(self) -> bool:
        """Whether one item confirms the claim."""
        return self.singles > 0

    @property
    def paired(self) -> bool:
        """Whether two items of independent origin confirm it."""
        return len(self.origins) > 1

    @property
    def confirmed(self) -> bool:
        """One item good enough alone, or two of independent origin good enough as a pair."""
        return self.singles > 0 or len(self.origins) > 1

    @property
    def credible(self) -> bool:
        """At least one item that would count towards a confirmation."""
        return self.singles > 0 or bool(self.origins)

    @property
    def ids(self) -> list[str]:
        """Ids of the items that are named."""
        return [item.report_id for item in self.named]

    def reports(self) -> Reports:
        """For the record."""
        return Reports(ids=tuple(self.ids), total=self.total)

    def outlives(self, changes: int) -> bool:
        """Whether it stays stated and confirmed whichever ``changes`` single items change."""
        return self.singles > changes or len(self.origins) > changes + 1


class Names(dict[Key, Support]):
    """Claims of one sort by name, and which of them are confirmed."""

    __slots__ = ("confirmed",)

    def __init__(self) -> None:
        super().__init__()
        self.confirmed: set[Key] = set()

    def count(
        self, key: Key, item: Evidence, strength: Strength, by: int = 1, *, naming: bool = True
    ) -> None:
        """Count ``item`` in ``by`` times, or out; a claim that nobody makes is not kept."""
        support = self.get(key)
        if support is None:
            self[key] = support = Support()
        support.count(item.origin, strength, by)
        if naming:
            support.name(item)
        if support.singles > 0 or len(support.origins) > 1:
            self.confirmed.add(key)
        else:
            self.confirmed.discard(key)
            if not support.total:
                del self[key]


@dataclass(slots=True)
class Number:
    """The largest "at least so many" that is claimed, and the largest that is confirmed.

    Zero is what everybody says who says nothing, and is not kept.
    """

    values: dict[int, int] = field(default_factory=dict)
    """How many items give each value; likewise the two below."""
    alone: dict[int, int] = field(default_factory=dict)
    by_origin: dict[str, dict[int, int]] = field(default_factory=dict)
    bests: list[int] = field(default_factory=list)
    """The largest value of each origin of ``by_origin``, ascending."""
    _claimed: int | None = field(default=None, compare=False)
    _confirmed: int | None = field(default=None, compare=False)

    def count(self, value: int, item: Evidence, strength: Strength, by: int = 1) -> None:
        """Count ``item``'s ``value`` in ``by`` times, or out."""
        if not value:
            return
        bump(self.values, value, by)
        if strength.alone:
            bump(self.alone, value, by)
        if strength.pair:
            self._count_origin(value, item.origin, by)
        self._keep_tops(value, strength, by)

    def _count_origin(self, value: int, origin: str, by: int) -> None:
        given = self.by_origin.setdefault(origin, {})
        before = max(given, default=0)
        bump(given, value, by)
        after = max(given, default=0)
        if after != before:
            if before:
                del self.bests[bisect_left(self.bests, before)]
            if after:
                insort(self.bests, after)
        if not given:
            del self.by_origin[origin]

    def _keep_tops(self, value: int, strength: Strength, by: int) -> None:
        """Keep what the properties found as far as ``value`` cannot have moved it."""
        claimed, confirmed = self._claimed, self._confirmed
        if claimed is not None:
            if by > 0:
                self._claimed = max(claimed, value)
            elif value == claimed and value not in self.values:
                self._claimed = None
        if confirmed is None:
            return
        if by > 0 and value > confirmed:
            self._confirmed = value if strength.alone else None
        elif by < 0 and value >= confirmed and confirmed not in self.alone:
            self._confirmed = None

    @property
    def claimed(self) -> int:
        """The largest value that anybody gives."""
        if self._claimed is None:
            self._claimed = max(self.values, default=0)
        return self._claimed

    @property
    def confirmed(self) -> int:
        """What one good item says, or what two independent ones both reach."""
        if self._confirmed is None:
            self._confirmed = max(max(self.alone, default=0), self._reached_by(2))
        return self._confirmed

    def least_claimed(self, changes: int) -> int:
        """What stays claimed whichever ``changes`` single items change."""
        return _ranked(self.values, changes + 1)

    def least_confirmed(self, changes: int) -> int:
        """What stays confirmed whichever ``changes`` single items change."""
        alone = _ranked(self.alone, changes + 1)
        return max(alone, self._reached_by(changes + 2))

    def _reached_by(self, origins: int) -> int:
        return self.bests[-origins] if len(self.bests) >= origins else 0


def bump(counts: dict[Key, int], key: Key, by: int) -> None:
    """Count ``by`` more of ``key``; what is down to nothing is not kept."""
    left = counts.get(key, 0) + by
    if left:
        counts[key] = left
    else:
        del counts[key]


def _ranked(counts: dict[int, int], rank: int) -> int:
    """The value of that rank from the top, 1 for the first; 0 where there are not so many."""
    for value in nlargest(rank, counts):
        rank -= counts[value]
        if rank <= 0:
            return value
    return 0
