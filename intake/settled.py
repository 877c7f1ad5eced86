"""What became of a batch that was settled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Settled:
    """What became of a batch."""

    stored: list[str] = field(default_factory=list)
    duplicates: int = 0
    quarantined: int = 0
    incidents: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Settled) -> None:
        """Count what became of a further batch."""
        self.stored += other.stored
        self.duplicates += other.duplicates
        self.quarantined += other.quarantined
        self.incidents |= other.incidents
        self.reasons += other.reasons
