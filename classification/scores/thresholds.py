"""Numbers against limits, where a number may not be known."""

from __future__ import annotations

from collections.abc import Iterable

from classification.scores.result import Known


def over(value: float | None, limit: float) -> Known:
    """Whether a number is more than the limit."""
    return None if value is None else value > limit


def over_share_or_number(
    share: float | None, share_limit: float, number: float | None, number_limit: float
) -> Known:
    """More than a share or more than a number of them, whichever is the smaller: either is enough.

    To be over the smaller of two limits is to be over one of them.
    """
    found = (over(share, share_limit), over(number, number_limit))
    if True in found:
        return True
    return None if None in found else False


def at_least(needed: int, facts: Iterable[Known]) -> Known:
    """Whether so many of them are so."""
    known = list(facts)
    holding, open_ones = known.count(True), known.count(None)
    if holding >= needed:
        return True
    return None if holding + open_ones >= needed else False
