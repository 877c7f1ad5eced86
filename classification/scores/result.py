"""What a side score says: its value or that not enough is known, with every input it went by.

Side scores are the scales of others. They inform and never decide: no rule of the protocol reads them.
Source: domain 3.2; R13, R14.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

Known = bool | None
"""Whether something is so; None where nobody has said."""


class ScoreId(StrEnum):
    """The scales that are shown beside the class."""

    NCISS = "nciss"
    US_SEVERITY = "us-severity"
    UK_NCSC = "uk-ncsc"
    NIS2_SIGNIFICANT = "nis2-significant"
    IR_2024_2690 = "ir-2024-2690"
    DORA_MAJOR = "dora-major"
    NIS_COLOUR = "nis-colour"


class Origin(StrEnum):
    """Who says an input: reports, an officer, or nobody yet."""

    REPORTS = "reports"
    OFFICER = "officer"
    UNKNOWN = "unknown"


class ScoreInput(BaseModel):
    """One input of a score, as it was used."""

    model_config = ConfigDict(frozen=True)

    name: str
    asks: str
    value: str
    """Empty where it is not known."""
    origin: Origin


class SideScore(BaseModel):
    """One scale's answer."""

    model_config = ConfigDict(frozen=True)

    id: ScoreId
    title: str
    source: str
    value: str | None
    """None: not enough is known."""
    meaning: str
    """The value in words, or how far what is known reaches."""
    missing: tuple[str, ...]
    """Names of the inputs that would settle it; empty where it is settled."""
    inputs: tuple[ScoreInput, ...]


class ScoreFacts(BaseModel):
    """An officer's extra facts for one scale. Each may be left out; what is given beats reports."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


F = TypeVar("F", bound=ScoreFacts)


def together(facts: F, derived: Mapping[str, object]) -> tuple[F, tuple[ScoreInput, ...]]:
    """The officer's facts, filled up from what reports say, and each as an input to be shown."""
    filled = facts.model_copy(
        update={name: value for name, value in derived.items() if getattr(facts, name) is None}
    )
    inputs = []
    for name, field in type(facts).model_fields.items():
        value = getattr(filled, name)
        by_officer = getattr(facts, name) is not None
        origin = Origin.OFFICER if by_officer else Origin.REPORTS
        inputs.append(
            ScoreInput(
                name=name,
                asks=field.description or name,
                value=_shown(value),
                origin=Origin.UNKNOWN if value is None else origin,
            )
        )
    return filled, tuple(inputs)


def any_of(facts: Iterable[Known]) -> Known:
    """Whether one of them is so: one yes settles it, no needs all of them."""
    known = list(facts)
    if True in known:
        return True
    return None if None in known else False


def yes_or_no(settled: Known) -> str | None:
    """A settled answer as a value."""
    return None if settled is None else ("yes" if settled else "no")


def whenever(condition: bool, **derived: object) -> Mapping[str, object]:
    """What reports say when they say it; silence of reports is never a no."""
    return derived if condition else {}


def unknown(facts: ScoreFacts, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the inputs that nobody has said."""
    return tuple(name for name in names if getattr(facts, name) is None)


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case frozenset():
            return ", ".join(sorted(map(str, value))) or "none"
        case int() | float():
            return f"{value:,}"
        case _:
            return str(value)
