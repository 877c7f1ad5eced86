"""What correlation says of a batch: the incidents that it met or opened, and where reports went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from intake.claims import NO_CLAIMS


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An incident as correlation sees it."""

    id: str
    detected: bool
    created_at: datetime
    claimed: str = NO_CLAIMS
    """What its reports claimed so far, as JSON."""
    opened: bool = False
    """Whether the batch opened it."""


class Chain(msgspec.Struct, gc=False, eq=False):
    """Reports with one key that follow each other in time; microseconds since 1970."""

    earliest: int
    latest: int
    incident_id: str
    stored: tuple[int, str, int] | None = None
    """As its row is: earliest time, incident there, latest time."""


class Placement(msgspec.Struct, kw_only=True):
    """Where a report went, and by which shared indicators, in words."""

    incident_id: str
    new: bool
    shared: tuple[str, ...] = ()
    through: str = ""
    """The report that joined this one's incident to another later in the batch."""
    continues: str = ""
    """The incident that ended before this report came."""
    apart: tuple[str, ...] = ()
    """Incidents that it shares indicators with too, which officers keep apart from this one."""

    def reason(self) -> dict[str, Any]:
        """As it is kept with the link."""
        said: dict[str, Any] = {"opens": self.new, "shared": list(self.shared)}
        if self.through:
            said["through"] = self.through
        if self.continues:
            said["continues"] = self.continues
        if self.apart:
            said["apart"] = list(self.apart)
        return said
