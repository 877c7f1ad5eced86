"""How far a run got, and when: the points that every rate is taken from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from protocol.errors import Refused

WINDOWS = 10
"""Parts of a run that flatness compares the first and the last of (R8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """So many records were settled at this time of the monotonic clock."""

    at: float
    settled: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The points of one run, the first with something settled."""

    points: Sequence[Point]

    @property
    def rate(self) -> float:
        """Records a second, from the first batch on: starting up is not measured.

        Raises:
            Refused: ``too-few-reports``, all was settled in one batch.
        """
        if len(self.points) < 2:
            raise Refused(
                "too-few-reports", "all reports were settled at once: measure more with --reports"
            )
        return self._between(self.points[0].settled, self.points[-1].settled)

    @property
    def flatness(self) -> float:
        """Rate over the last tenth of the run by that over the first (R8)."""
        windows = self.windows(WINDOWS)
        return windows[-1] / windows[0]

    def windows(self, count: int) -> list[float]:
        """The rate in each of ``count`` parts with equally many records."""
        first, last = self.points[0].settled, self.points[-1].settled
        edges = [first + (last - first) * n / count for n in range(count + 1)]
        return [self._between(a, b) for a, b in pairwise(edges)]

    def settled_at(self, time: float) -> int:
        """How many were settled by then, as far as was seen."""
        after = bisect_right(self.points, time, key=lambda point: point.at)
        return self.points[after - 1].settled if after else 0

    def _between(self, first: float, last: float) -> float:
        seconds = self._time_of(last) - self._time_of(first)
        return (last - first) / seconds if seconds > 0 else 0.0

    def _time_of(self, settled: float) -> float:
        """When so many were settled, in a straight line between the points about it."""
        after = bisect_left(self.points, settled, key=lambda point: point.settled)
        if after == 0:
            return self.points[0].at
        before, point = self.points[after - 1], self.points[after]
        share = (settled - before.settled) / (point.settled - before.settled)
        return before.at + share * (point.at - before.at)
