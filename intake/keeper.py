"""Keeps what the brakes of one process decide and what the database says of holds the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import structlog

from infra.database import Database
from intake.brakes import Brakes, Hold, Place, hour_of
from intake.holds import active_holds, begin_holds, end_over, name_of, share_usage, usage_of

log = structlog.get_logger()

HOLDS = 2
"""Number of the lock under which holds change."""


class Keeper:
    """Call ``meet`` about once a second; what is held survives the process and a rebalance."""

    def __init__(self, database: Database, brakes: Brakes) -> None:
        self._database = database
        self._brakes = brakes
        self._known: dict[Place, Hold] = {}
        """Holds of the brakes that the database has."""

    def meet(self, assigned: Collection[tuple[str, int]], now: datetime) -> None:
        """Write down new holds and usage, end those whose time is over, learn what others did.

        Blocks; writes nothing where nothing is new.
        """
        with self._database.read() as connection:
            active, usage = active_holds(connection), usage_of(connection, hour_of(now))
        self._notice_ends(active, now)
        self._take_over(active, assigned, now)
        for topic, records in usage.items():
            self._brakes.learn_usage(topic, hour_of(now), records, now)
        held = self._brakes.held(now)
        new = {p: hold for p, hold in held.items() if self._known.get(p) != hold}
        untold = self._brakes.untold_usage()
        if new or untold or any(hold.until <= now for hold in active.values()):
            with self._database.write() as connection:
                self._database.serialise(connection, HOLDS)
                over = end_over(connection, now)
                begin_holds(connection, new)
                share_usage(connection, untold)
            self._brakes.told_usage(untold)
            self._known.update(new)
            _tell(new, over)

    def forget(self, partitions: Collection[tuple[str, int]]) -> None:
        """These partitions are read from their position again, here or elsewhere."""
        self._brakes.forget(partitions)
        self._known = {
            place: hold for place, hold in self._known.items() if place not in partitions
        }

    def _notice_ends(self, active: dict[Place, Hold], now: datetime) -> None:
        for place, hold in list(self._known.items()):
            if place not in active:
                del self._known[place]
                if now < hold.until:  # before its time: an officer has
                    self._brakes.release(place)
                    log.warning("intake_resumed", place=name_of(place), by="officer")

    def _take_over(
        self, active: dict[Place, Hold], assigned: Collection[tuple[str, int]], now: datetime
    ) -> None:
        topics = {topic for topic, _ in assigned}
        for place, hold in active.items():
            ours = place in assigned if place[1] is not None else place[0] in topics
            if ours and place not in self._known and now < hold.until:
                self._brakes.restore(place, hold)
                self._known[place] = hold


def _tell(new: Mapping[Place, Hold], over: Collection[str]) -> None:
    for name in over:
        log.warning("intake_resumed", place=name, by="time")
    for place, hold in new.items():
        log.error(
            "intake_held",
            place=name_of(place),
            reason=hold.reason,
            until=hold.until.isoformat(),
            **hold.detail,
        )
