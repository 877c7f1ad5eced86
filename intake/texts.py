"""A record that is plain text: a list of indicators, as lines or as a table."""

from __future__ import annotations

from dataclasses import dataclass

from infra.intake_limits import IntakeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDocument:
    """The text, and whether its sender says that it is such a list."""

    text: str
    declared: bool
    limits: IntakeSettings
