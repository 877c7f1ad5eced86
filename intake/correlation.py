"""Correlation: which reports speak of the same attack.

Two reports link when they share a link key within the time window. The incidents are the connected
groups of that graph, so they depend on the set of reports and not on order, batch or repetition.
For each key the database holds chains: stretches of time in which reports with that key follow each
other within the window, each with its incident. Source: design section 3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Connection, delete, insert, literal, select, update

from infra import audit
from infra.tables import Utc, incident, link, link_key, report
from intake.kept_apart import KeptApart
from intake.merging import carry_over

CHUNK = 500
"""Keys in one query: SQLite takes a limited number of parameters."""


@dataclass(slots=True, kw_only=True)
class Chain:
    """Reports with one key that follow each other in time."""

    earliest: datetime
    latest: datetime
    incident_id: str
    row_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An incident as correlation sees it."""

    id: str
    detected: bool
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Placement:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """An incident was absorbed, because of a report that shares indicators with both."""

    into: str
    report_id: str
    shared: tuple[str, ...]


@dataclass(slots=True)
class Correlator:
    """One batch's view of chains and incidents; ``load`` reads it, ``save`` writes what changed."""

    window: timedelta
    chains: dict[str, list[Chain]] = field(default_factory=dict)
    incidents: dict[str, Known] = field(default_factory=dict)
    merged: dict[str, Merge] = field(default_factory=dict)
    """By the incident that was absorbed."""
    dropped: list[int] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    """Keys whose chains changed."""
    continues: str = ""
    """The ended incident that the reports are taken out of; empty for reports that just came."""
    kept: KeptApart = field(default_factory=KeptApart)
    """What officers keep apart; empty where they have set nothing apart."""

    def load(self, connection: Connection, keys: Iterable[str]) -> None:
        """Read the chains of ``keys`` and their incidents."""
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), CHUNK):
            rows = connection.execute(
                select(link_key, incident.c.status, incident.c.created_at)
                .join(incident, incident.c.id == link_key.c.incident_id)
                .where(link_key.c.key.in_(wanted[start : start + CHUNK]))
                .where(incident.c.status != "ended")
            )
            for row in rows:
                self.chains.setdefault(row.key, []).append(
                    Chain(
                        earliest=row.earliest,
                        latest=row.latest,
                        incident_id=row.incident_id,
                        row_id=row.id,
                    )
                )
                self.incidents[row.incident_id] = Known(
                    id=row.incident_id,
                    detected=row.status == "detected",
                    created_at=row.created_at,
                )
        for ended in self.kept.load(connection, wanted, self.incidents):
            del self.incidents[ended]
            self.chains = {
                key: [chain for chain in chains if chain.incident_id != ended]
                for key, chains in self.chains.items()
            }

    def place(
        self,
        report_id: str,
        keys: Mapping[str, tuple[str, ...]],
        window: tuple[datetime, datetime],
        now: datetime,
    ) -> Placement:
        """Find or open the incident of a report; incidents that it connects become one."""
        earliest, latest = window
        near = [
            (key, chain)
            for key in sorted(keys)
            for chain in self.chains.get(key, [])
            if chain.earliest - self.window <= latest and earliest <= chain.latest + self.window
        ]
        shares = [(key, self.current(chain.incident_id)) for key, chain in near]
        found = self.kept.choose({i for _, i in shares}, keys, window, self.window)
        shared = tuple(sorted({words for key, i in shares if i in found for words in keys[key]}))
        new = not found
        if new:
            opened = incident_id_of(report_id + self.continues)
            chosen = Known(id=opened, detected=False, created_at=now)
            self.incidents[chosen.id] = chosen
        else:
            chosen = min(
                (self.incidents[i] for i in found),
                key=lambda known: (not known.detected, known.created_at, known.id),
            )
            # One with a workflow of its own is never absorbed.
            for other in found - {chosen.id}:
                if not self.incidents[other].detected:
                    self.merged[other] = Merge(into=chosen.id, report_id=report_id, shared=shared)
        self.kept.note(report_id, chosen.id, keys, shares, new=new)
        for key in keys:
            self._extend(key, earliest, latest, chosen.id)
        return Placement(incident_id=chosen.id, new=new, shared=shared, continues=self.continues)

    def follow(self, placement: Placement) -> None:
        """Bring a placement up to date with the merges that came after it."""
        while merge := self.merged.get(placement.incident_id):
            placement.incident_id = merge.into
            placement.new = False
            placement.shared = tuple(sorted({*placement.shared, *merge.shared}))
            placement.through = merge.report_id

    def stand(self, report_id: str, placement: Placement) -> None:
        """Bring a placement up to date with the side that its group stands with."""
        stand = self.kept.stand_of(report_id, placement.incident_id, self._follows)
        if stand is None:
            return
        if stand.incident_id != placement.incident_id:
            placement.incident_id = stand.incident_id
            placement.new = False
            placement.shared = tuple(sorted({*placement.shared, *stand.shared}))
            placement.through = "" if stand.report_id == report_id else stand.report_id
        placement.apart = stand.apart

    def save(self, connection: Connection, now: datetime) -> None:
        """Write merges and the chains that changed."""
        for absorbed, merge in self.merged.items():
            self._save_merge(connection, absorbed, merge, now)
        for start in range(0, len(self.dropped), CHUNK):
            connection.execute(
                delete(link_key).where(link_key.c.id.in_(self.dropped[start : start + CHUNK]))
            )
        rows = [
            {
                "key": key,
                "earliest": chain.earliest,
                "latest": chain.latest,
                "incident_id": self.current(chain.incident_id),
            }
            for key in sorted(self.touched)
            for chain in self.chains[key]
            if chain.row_id is None
        ]
        if rows:
            connection.execute(insert(link_key), rows)
        grown = {self.current(absorbed) for absorbed in self.merged}
        self.kept.save(connection, self._follows, grown, now)

    def _follows(self, incident_id: str) -> tuple[str, bool]:
        """Its group as it is now, and whether that group may stand with a side."""
        current = self.current(incident_id)
        return current, not self.incidents[current].detected

    def current(self, incident_id: str) -> str:
        """The incident that this one was absorbed by in this batch, or itself."""
        while merge := self.merged.get(incident_id):
            incident_id = merge.into
        return incident_id

    def _save_merge(
        self, connection: Connection, absorbed: str, merge: Merge, now: datetime
    ) -> None:
        """Move what is stored of an absorbed incident, and note it in the history of each report."""
        final = self.current(absorbed)
        stored = connection.execute(
            update(incident)
            .where(incident.c.id == absorbed)
            .values(status="merged", merged_into=final)
        )
        if stored.rowcount == 0:
            return  # opened and absorbed in one batch
        reason = {
            "opens": False,
            "shared": list(merge.shared),
            "through": merge.report_id,
            "merged": absorbed,
        }
        moved = select(
            report.c.id,
            literal(final),
            literal(now, Utc),
            literal("correlation"),
            literal(reason, JSON),
        ).where(report.c.incident_id == absorbed)
        connection.execute(
            insert(link).from_select(["report_id", "incident_id", "at", "by", "reason"], moved)
        )
        for table in (report, link_key):
            connection.execute(
                update(table).where(table.c.incident_id == absorbed).values(incident_id=final)
            )
        carry_over(connection, absorbed, final)
        audit.append(
            connection,
            "incident_merged",
            actor="intake",
            subject=absorbed,
            channel="kafka",
            into=final,
            report=merge.report_id,
        )

    def _extend(self, key: str, earliest: datetime, latest: datetime, incident_id: str) -> None:
        """Add a stretch of time to the key's chains of this incident, joining those it reaches."""
        grown = Chain(earliest=earliest, latest=latest, incident_id=incident_id)
        kept: list[Chain] = []
        joined: list[Chain] = []
        for chain in self.chains.get(key, []):
            mine = self.current(chain.incident_id) == incident_id
            reaches = (
                chain.earliest - self.window <= latest and earliest <= chain.latest + self.window
            )
            (joined if mine and reaches else kept).append(chain)
        if len(joined) == 1 and joined[0].earliest <= earliest and latest <= joined[0].latest:
            return
        for chain in joined:
            grown.earliest = min(grown.earliest, chain.earliest)
            grown.latest = max(grown.latest, chain.latest)
            if chain.row_id is not None:
                self.dropped.append(chain.row_id)
        self.chains[key] = [*kept, grown]
        self.touched.add(key)


def incident_id_of(report_id: str) -> str:
    """Id of an incident that begins with this report; says nothing of its content."""
    return f"inc-{hashlib.sha256(report_id.encode()).hexdigest()[:12]}"


def explain(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    """The history of a report's links: when, by whom, and why, in words."""
    rows = connection.execute(
        select(link.c.incident_id, link.c.at, link.c.by, link.c.reason)
        .where(link.c.report_id == report_id)
        .order_by(link.c.id)
    )
    return [dict(row) for row in rows.mappings()]
