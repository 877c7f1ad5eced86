"""What intake knows of each source while it stores reports: a snapshot of the registry in memory.

``SourceBook`` reads the registry's version once a batch, and the registry itself only when that has
moved, so that a person's letter holds from the next batch on, in every intake process.
Source: domain 6.2; reliability F-K10.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from infra.tables_sources import source_version
from intake.sources import Registered, load_sources
from intake.standing import Standing, Standings


class SourceBook:
    """Keeps the standings of one process. Not for several threads at once."""

    def __init__(self) -> None:
        self._version = 0
        self.newest = Standings()
        """As they were read last."""

    def standings(self, connection: Connection) -> Standings:
        """The standings as the transaction sees them; one query while nothing has changed."""
        version = connection.scalar(select(source_version.c.version)) or 0
        if version != self._version:
            self.newest = standings_of(load_sources(connection))
            self._version = version
        return self.newest


def standings_of(registered: Iterable[Registered]) -> Standings:
    """The standings of these sources, by their principals."""
    return Standings({each.source.principal: standing_of(each) for each in registered})


def standing_of(registered: Registered) -> Standing:
    """The standing of a source of the registry."""
    newest = registered.letters[-1] if registered.letters else None
    return Standing(
        source_id=registered.source.id,
        groups=frozenset(registered.source.groups),
        letter=registered.letter,
        set_by=newest.by if newest else "",
        set_at=newest.at if newest else None,
        first_hand=registered.source.first_hand,
        tlp=registered.source.tlp,
        quota=registered.source.quota,
    )
