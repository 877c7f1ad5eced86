"""How far the numbers of organisations and victims can move when a few reports change."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from classification.claims import EVERYWHERE, Claims
from classification.evidence import Evidence
from classification.support import Number

Span = tuple[int, int]
"""Least and most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The spans that hold whichever reports are regraded or withdrawn, of all claims and of the
    confirmed ones. A span may be wider than what can happen, never narrower."""

    organisations: tuple[Span, Span]
    victims: tuple[Span, Span]

    @classmethod
    def of(cls, claims: Claims, live: list[Evidence], changes: int) -> Numbers:
        """The spans for so many changed reports; ``live`` are those of ``claims``."""
        moved = changes * max((len(item.organisations) for item in live), default=0)
        named, sure = len(claims.organisations), len(claims.organisations.confirmed)
        stated = claims.organisations_number
        organisations = (
            (max(named - moved, stated.least_claimed(changes)), max(named, stated.claimed)),
            (
                max(sure - moved, stated.least_confirmed(changes)),
                max(min(sure + moved, named), stated.claimed),
            ),
        )
        most = max(_over(claims, lambda number: number.claimed), len(claims.countries))
        return cls(
            organisations=organisations,
            victims=(
                (
                    max(
                        _over(claims, lambda number: number.least_claimed(changes)),
                        organisations[0][0],
                    ),
                    max(most, organisations[0][1]),
                ),
                (
                    max(
                        _over(claims, lambda number: number.least_confirmed(changes)),
                        organisations[1][0],
                    ),
                    max(most, organisations[1][1]),
                ),
            ),
        )

    def organisations_cross(self, thresholds: Collection[int]) -> bool:
        """Whether the number of organisations may come to lie on another side of one."""
        return any(_cross(span, thresholds) for span in self.organisations)

    def claimed_organisations_cross(self, thresholds: Collection[int]) -> bool:
        """Whether that of all claims may."""
        return _cross(self.organisations[0], thresholds)

    def victims_cross(self, thresholds: Collection[int]) -> bool:
        """Whether the number of victims may."""
        return any(_cross(span, thresholds) for span in self.victims)

    def claimed_victims_cross(self, thresholds: Collection[int]) -> bool:
        """Whether that of all claims may."""
        return _cross(self.victims[0], thresholds)


def _over(claims: Claims, of: Callable[[Number], int]) -> int:
    """Victims over all, or of the states together, whichever are more."""
    by_state = sum(of(number) for scope, number in claims.victims.items() if scope != EVERYWHERE)
    return max(of(claims.victims.get(EVERYWHERE, Number())), by_state)


def _cross(span: Span, thresholds: Collection[int]) -> bool:
    least, most = span
    return any(least < limit <= most for limit in thresholds)
