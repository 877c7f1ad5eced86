"""What pydantic finds wrong, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic import ValidationError

MAX_PROBLEMS = 20
Location = tuple[int | str, ...]
Problem = tuple[Location, str]
"""Where, and what is wrong there."""


def dotted(location: Location) -> str:
    """``contact_points.0.phone``; ``input`` for the whole."""
    return ".".join(str(part) for part in location) or "input"


class MisfitError(ValueError):
    """Values that are well-formed one by one and do not fit each other, or name what is not there."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(listed(self.problems))


def listed(problems: Iterable[Problem], place: Callable[[Location], str] = dotted) -> str:
    """Each problem as ``place: what is wrong``, at most 20 of them."""
    return "; ".join(f"{place(where)}: {what}" for where, what in tuple(problems)[:MAX_PROBLEMS])


def in_words(exc: ValidationError, place: Callable[[Location], str] = dotted) -> str:
    """Each problem as ``place: what is wrong``, at most 20 of them; values are not repeated."""
    problems = exc.errors(include_url=False, include_input=False, include_context=False)
    return listed(
        ((each["loc"], each["msg"].removeprefix("Value error, ")) for each in problems), place
    )
