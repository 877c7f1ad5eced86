"""What pydantic finds wrong, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

MAX_PROBLEMS = 20
Location = tuple[int | str, ...]


def dotted(location: Location) -> str:
    """``contact_points.0.phone``; ``input`` for the whole."""
    return ".".join(str(part) for part in location) or "input"


def in_words(exc: ValidationError, place: Callable[[Location], str] = dotted) -> str:
    """Each problem as ``place: what is wrong``, at most 20 of them; values are not repeated."""
    problems = exc.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{place(each['loc'])}: {each['msg'].removeprefix('Value error, ')}"
        for each in problems[:MAX_PROBLEMS]
    )
