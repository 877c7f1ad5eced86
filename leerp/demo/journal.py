"""What happened in the demo so far, for the board."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

KEPT = 200


@dataclass(slots=True)
class Journal:
    """Lines with the seconds since the demo began; the newest at the end."""

    begun: float = field(default_factory=time.monotonic)
    incident: str = ""
    published: int = 0
    planned: int = 0
    lines: list[tuple[float, str, str]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return time.monotonic() - self.begun

    def note(self, who: str, what: str) -> None:
        """Add a line."""
        self.lines = [*self.lines[-KEPT:], (self.seconds, who, what)]
