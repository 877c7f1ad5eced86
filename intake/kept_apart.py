"""What officers keep apart, as one batch of reports sees it.

An incident that an officer has set apart from another is a *side*: correlation never joins two
sides. So that this too depends on the set of later reports and not on their order:

1. A report that shares keys with what sides held when they were set apart goes to the side with
   which it shares most of those keys, then to the older.
2. All other reports form groups as ever. A group that shares keys with sides *follows* the one with
   which it shares most keys, then the older, and goes over as a whole when that changes.

Source: design section 3; docs/decisions/009.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from infra.bulk import Bulk
from infra.tables import incident
from infra.tables_regrouping import apart, follower, follower_share, side_key
from intake import followers

Follows = Callable[[str], tuple[str, bool]]
"""From a group's id to its id after the merges of the batch, and whether it may follow a side."""
Window = tuple[int, int]
"""Microseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a report stands: with which side, through which report and indicators, apart from whom."""

    incident_id: str
    report_id: str = ""
    shared: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


@dataclass(slots=True)
class KeptApart:
    """The sides that a batch may meet, and the groups that follow them. Empty, it does nothing."""

    sides: dict[str, datetime] = field(default_factory=dict)
    """Since when each exists."""
    stretches: dict[int, list[tuple[str, int, int]]] = field(default_factory=dict)
    """By key: side, earliest, latest, as they were when the side was set apart."""
    following: dict[str, str] = field(default_factory=dict)
    """Group to side, as stored."""
    shares: dict[str, dict[tuple[str, int], str]] = field(default_factory=dict)
    """By group: side and shared key, with the report through which that was first seen."""
    fresh: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)
    """By side and key: the indicators, of shares that this batch brought."""
    members: dict[str, str] = field(default_factory=dict)
    """Report of the batch to group."""
    met: dict[str, frozenset[str]] = field(default_factory=dict)
    """Report of the batch to the sides with which it shares keys."""
    opened: set[str] = field(default_factory=set)
    """Groups that began in this batch."""
    settled: dict[str, tuple[str, dict[tuple[str, int], str]]] | None = None
    """By group that follows a side: that side, and what it shares; made once all is noted."""

    def load(self, connection: Connection, keys: Collection[int]) -> None:
        """Read the sides, and by which of ``keys`` later reports find them."""
        standing = connection.execute(
            select(incident.c.id, incident.c.created_at, incident.c.status).where(
                incident.c.id.in_(select(apart.c.incident_id).where(apart.c.ended_by.is_(None)))
            )
        ).all()
        self.sides = {row.id: row.created_at for row in standing if row.status != "ended"}
        if standing:
            self._load_stretches(connection, keys)

    def load_followers(self, connection: Connection, incidents: Collection[str]) -> set[str]:
        """Read which of ``incidents`` follow a side, and why; return those whose side has ended."""
        stale: set[str] = set()
        met: set[str] = set()
        which = Bulk(connection).among(follower.c.id, incidents)
        for row in connection.execute(select(follower).where(which)):
            if row.incident_id in self.sides:
                self.following[row.id] = row.incident_id
                met.add(row.id)
            else:
                stale.add(row.id)
        self._load_shares(connection, met)
        return stale

    def choose(self, found: set[str], keys: Iterable[int], window: Window, near: int) -> set[str]:
        """Of the incidents ``found`` those that the report belongs to: one side, or all but sides."""
        if not self.sides:
            return found
        held = Counter(
            side
            for key in keys
            for side in {
                side
                for side, earliest, latest in self.stretches.get(key, [])
                if earliest - near <= window[1] and window[0] <= latest + near
            }
        )
        return {self._best(held)} if held else found - self.sides.keys()

    def note(
        self,
        report_id: str,
        chosen: str,
        keys: Mapping[int, tuple[str, ...]],
        shares: Iterable[tuple[int, str]],
        *,
        new: bool,
    ) -> None:
        """Take note of the keys that the report's group shares with sides, or its side with groups."""
        if not self.sides:
            return
        on_side = chosen in self.sides
        met = set()
        for key, other in shares:
            side, group = (chosen, other) if on_side else (other, chosen)
            if other in self.sides:
                met.add(other)
            if side in self.sides and group not in self.sides:
                self.shares.setdefault(group, {}).setdefault((side, key), report_id)
                self.fresh[side, key] = keys[key]
        self.settled = None
        self.met[report_id] = frozenset(met)
        if not on_side:
            self.members[report_id] = chosen
        if new:
            self.opened.add(chosen)

    def stand_of(self, report_id: str, group: str, follows: Follows) -> Stand | None:
        """Where a report of the batch stands once all of them are placed."""
        if not self.sides:
            return None
        met = self.met[report_id]
        joined = self._joined(follows).get(group) if group not in self.sides else None
        if joined is None:
            return Stand(incident_id=group, apart=tuple(sorted(met - {group})))
        side, shares = joined
        mine = {key: through for (other, key), through in shares.items() if other == side}
        words = {said for key in mine for said in self.fresh.get((side, key), ())}
        return Stand(
            incident_id=side,
            report_id=report_id if side in met else min(mine.values()),
            shared=tuple(sorted(words)),
            apart=tuple(sorted(met - {side})),
        )

    def save(
        self, connection: Connection, follows: Follows, grown: Collection[str], now: datetime
    ) -> set[str]:
        """Write which groups follow which side, and move the reports of those that changed.

        ``grown`` are the incidents that absorbed another in this batch. Returns the incidents that
        stored reports came to.
        """
        if not self.sides:
            return set()
        changed: set[str] = set()
        joined = self._joined(follows)
        followers.put_reports(
            connection,
            {
                report_id: current
                for report_id, group in self.members.items()
                if (current := follows(group)[0]) in joined
            },
        )
        absorbed = {g: current for g in self.following if (current := follows(g)[0]) != g}
        followers.absorb(connection, absorbed)
        for group, (side, shares) in joined.items():
            if group in self.opened:
                followers.open_group(connection, group, side, now)
            if self.following.get(group) != side or group in grown:
                through = min(t for (other, _), t in shares.items() if other == side)
                followers.move(connection, group, side, through=through, now=now)
                changed.add(side)
            followers.put_shares(connection, group, shares)
        for group in set(absorbed.values()) - joined.keys():
            followers.release(connection, group, now)
            changed.add(group)
        return changed

    def _load_stretches(self, connection: Connection, keys: Collection[int]) -> None:
        which = Bulk(connection).among(side_key.c.key, keys)
        for row in connection.execute(select(side_key).where(which)):
            if row.incident_id in self.sides:
                stretch = (row.incident_id, row.earliest, row.latest)
                self.stretches.setdefault(row.key, []).append(stretch)

    def _load_shares(self, connection: Connection, groups: Collection[str]) -> None:
        which = Bulk(connection).among(follower_share.c.follower_id, groups)
        for row in connection.execute(select(follower_share).where(which)):
            if row.incident_id in self.sides:
                of_group = self.shares.setdefault(row.follower_id, {})
                of_group[row.incident_id, row.key] = row.report_id

    def _joined(self, follows: Follows) -> dict[str, tuple[str, dict[tuple[str, int], str]]]:
        """As ``settled``."""
        if self.settled is not None:
            return self.settled
        together: dict[str, dict[tuple[str, int], str]] = {}
        for group, shares in self.shares.items():
            current, may_follow = follows(group)
            if may_follow:
                into = together.setdefault(current, {})
                for each, through in shares.items():
                    into[each] = min(through, into.get(each, through))
        self.settled = {
            group: (self._best(Counter(side for side, _ in shares)), shares)
            for group, shares in together.items()
        }
        return self.settled

    def _best(self, held: Mapping[str, int]) -> str:
        """The side with most keys, then the older."""
        return min(held, key=lambda side: (-held[side], self.sides[side], side))
