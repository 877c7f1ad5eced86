"""Correlation: which reports speak of the same attack.

Two reports link when they share a link key within the time window. The incidents are the connected
groups of that graph, so they depend on the set of reports and not on order, batch or repetition.
For each key the database holds chains: stretches of time in which reports with that key follow each
other within the window, each with its incident. Source: design section 3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from infra.bulk import Bulk
from infra.tables import incident, link_key
from intake.kept_apart import KeptApart
from intake.link_keys import PackedKeys
from intake.merging import Merge, absorb
from intake.placement import Chain, Known, Placement

MICROSECOND = timedelta(microseconds=1)


class Correlator:
    """One batch's view of chains and incidents; ``load`` reads it, ``save`` writes what changed.

    ``continues`` is the ended incident that the reports are taken out of; empty for reports that
    just came.
    """

    def __init__(self, connection: Connection, window: timedelta, continues: str = "") -> None:
        self.incidents: dict[str, Known] = {}
        """Those that the batch may touch, and those that it opened."""
        self.merged: dict[str, Merge] = {}
        """By the incident that was absorbed in this batch."""
        self.moved: set[str] = set()
        """Incidents that stored reports came to, because they follow another side now."""
        self._kept = KeptApart()
        self._connection = connection
        self._bulk = Bulk(connection)
        self._window = window // MICROSECOND
        self._continues = continues
        self._chains: dict[int, list[Chain]] = {}
        self._dropped: list[tuple[int, int, str]] = []
        """Key, earliest time and incident of rows that are part of another chain now."""
        self._touched: set[int] = set()
        """Keys whose chains changed."""

    def load(self, keys: Collection[int]) -> None:
        """Read the chains of ``keys`` and their incidents; those of ended incidents are past."""
        rows = self._connection.execute(
            select(
                link_key.c.key, link_key.c.earliest, link_key.c.latest, link_key.c.incident_id
            ).where(self._bulk.among(link_key.c.key, keys))
        ).all()
        self._kept.load(self._connection, keys)
        living = self._living({row.incident_id for row in rows} | self._kept.sides.keys())
        for key, earliest, latest, incident_id in rows:
            if now := living.get(incident_id):
                chain = Chain(earliest, latest, now, stored=(earliest, incident_id, latest))
                self._chains.setdefault(key, []).append(chain)

    def place(
        self,
        report_id: str,
        keys: PackedKeys,
        window: tuple[int, int],
        now: datetime,
    ) -> Placement:
        """Find or open the incident of a report; incidents that it connects become one."""
        reached = self._reached(keys, window)
        if not reached and not self._kept.sides:
            return self._begin(report_id, keys, window, now)
        shares = [
            (key, self.current(chain.incident_id) if self.merged else chain.incident_id)
            for key, chains in reached.items()
            for chain in chains
        ]
        found = {incident_id for _, incident_id in shares}
        if self._kept.sides:
            found = self._kept.choose(found, keys, window, self._window)
        alike = {key for key, i in shares if i in found}
        shared = tuple(sorted(keys.among(alike)))
        chosen = self._choose(found, report_id, shared) if found else self._opened(report_id, now)
        if self._kept.sides:
            self._kept.note(report_id, chosen, keys, shares, new=not found)
        self._lengthen(keys, window, chosen, reached)
        return Placement(
            incident_id=chosen,
            new=not found,
            shared=shared,
            continues=self._continues,
        )

    def _begin(
        self, report_id: str, keys: Collection[int], window: tuple[int, int], now: datetime
    ) -> Placement:
        """Open an incident with a report that shares nothing; most of those that come alone."""
        chosen = self._opened(report_id, now)
        self._lengthen(keys, window, chosen, {})
        return Placement(incident_id=chosen, new=True, continues=self._continues)

    def _opened(self, report_id: str, now: datetime) -> str:
        chosen = incident_id_of(report_id + self._continues)
        self.incidents[chosen] = Known(id=chosen, detected=False, created_at=now, opened=True)
        return chosen

    def _lengthen(
        self,
        keys: Collection[int],
        window: tuple[int, int],
        incident_id: str,
        reached: Mapping[int, list[Chain]],
    ) -> None:
        """Let the chains of the keys reach over the report's time."""
        chains = self._chains
        earliest, latest = window
        for key in keys:
            if key not in reached:
                chains.setdefault(key, []).append(Chain(earliest, latest, incident_id))
                self._touched.add(key)
                continue
            own = [
                chain
                for chain in reached[key]
                if chain.incident_id == incident_id
                or self.current(chain.incident_id) == incident_id
            ]
            if len(own) == 1 and own[0].earliest <= earliest:
                if latest > own[0].latest:
                    own[0].latest = latest
                    self._touched.add(key)
            else:
                chains[key] = self._with(key, Chain(*window, incident_id), own)
                self._touched.add(key)

    def bring_up_to_date(self, placements: Mapping[str, Placement]) -> None:
        """Let placements, by report, tell what came after them in the batch."""
        if self.merged:
            for placement in placements.values():
                self._follow(placement)
        if self._kept.sides:
            for report_id, placement in placements.items():
                self._stand(report_id, placement)

    def _follow(self, placement: Placement) -> None:
        """Bring a placement up to date with the merges that came after it."""
        while merge := self.merged.get(placement.incident_id):
            placement.incident_id = merge.into
            placement.new = False
            placement.shared = tuple(sorted({*placement.shared, *merge.shared}))
            placement.through = merge.report_id

    def _stand(self, report_id: str, placement: Placement) -> None:
        """Bring a placement up to date with the side that its group stands with."""
        stand = self._kept.stand_of(report_id, placement.incident_id, self._follows)
        if stand is None:
            return
        if stand.incident_id != placement.incident_id:
            placement.incident_id = stand.incident_id
            placement.new = False
            placement.shared = tuple(sorted({*placement.shared, *stand.shared}))
            placement.through = "" if stand.report_id == report_id else stand.report_id
        placement.apart = stand.apart

    def save(self, now: datetime) -> None:
        """Write merges and the chains that changed."""
        absorb(
            self._connection,
            {
                was: replace(merge, into=self.current(was))
                for was, merge in self.merged.items()
                if not self.incidents[was].opened
            },
            now,
        )
        self._save_chains()
        grown = {self.current(absorbed) for absorbed in self.merged}
        self.moved = self._kept.save(self._connection, self._follows, grown, now)

    def _save_chains(self) -> None:
        """In the order of the keys, so that what lies together is written together."""
        new, longer = [], []
        for key in sorted(self._touched):
            for chain in self._chains[key]:
                if chain.stored is None:
                    incident_id = chain.incident_id
                    if self.merged:
                        incident_id = self.current(incident_id)
                    new.append((key, chain.earliest, incident_id, chain.latest))
                else:
                    earliest, incident_id, latest = chain.stored
                    if chain.latest != latest:
                        longer.append((chain.latest, key, earliest, incident_id))
        self._bulk.delete(link_key, _CHAIN, sorted(self._dropped))
        self._bulk.update(link_key, ("latest",), _CHAIN, longer)
        self._bulk.insert(link_key, (*_CHAIN, "latest"), new)

    def _follows(self, incident_id: str) -> tuple[str, bool]:
        """Its group as it is now, and whether that group may stand with a side."""
        current = self.current(incident_id)
        return current, not self.incidents[current].detected

    def current(self, incident_id: str) -> str:
        """The incident that this one was absorbed by in this batch, or itself."""
        while merge := self.merged.get(incident_id):
            incident_id = merge.into
        return incident_id

    def _living(self, named: Iterable[str]) -> dict[str, str]:
        """Who stands today for each incident that chains name, without the ended ones."""
        standing = {name: name for name in named}
        asked = set(standing)
        into: dict[str, str] = {}
        past: set[str] = set()
        while asked:
            if self._kept.sides:
                past |= self._kept.load_followers(self._connection, asked)
            rows = self._connection.execute(
                select(
                    incident.c.id,
                    incident.c.status,
                    incident.c.created_at,
                    incident.c.merged_into,
                    incident.c.claimed,
                ).where(self._bulk.among(incident.c.id, asked))
            )
            asked = set()
            for row in rows:
                if row.id in past:
                    continue
                if row.status == "merged" and row.id not in self._kept.following:
                    into[row.id] = row.merged_into
                    if row.merged_into not in self.incidents:
                        asked.add(row.merged_into)
                elif row.status != "ended":
                    self.incidents[row.id] = Known(
                        id=row.id,
                        detected=row.status == "detected",
                        created_at=row.created_at,
                        claimed=row.claimed,
                    )
        for name, now in standing.items():
            while now in into:
                now = into[now]  # noqa: PLW2901
            standing[name] = now
        return {name: now for name, now in standing.items() if now in self.incidents}

    def _choose(self, found: set[str], report_id: str, shared: tuple[str, ...]) -> str:
        """The incident that goes on; the others that were found are absorbed by it."""
        if len(found) == 1:
            return next(iter(found))
        chosen = min(
            (self.incidents[i] for i in found),
            key=lambda known: (not known.detected, known.created_at, known.id),
        )
        for other in found - {chosen.id}:
            if not self.incidents[other].detected:  # one with a workflow is never absorbed
                self.merged[other] = Merge(into=chosen.id, report_id=report_id, shared=shared)
        return chosen.id

    def _reached(self, keys: Iterable[int], window: tuple[int, int]) -> dict[int, list[Chain]]:
        """By key, the chains to which a report of that time may belong, if there are any."""
        before, after = window[0] - self._window, window[1] + self._window
        reached = {}
        for key in keys:
            if chains := self._chains.get(key):
                near = [c for c in chains if c.earliest <= after and before <= c.latest]
                if near:
                    reached[key] = near
        return reached

    def _with(self, key: int, grown: Chain, joined: Collection[Chain]) -> list[Chain]:
        """The key's chains with this one, which those ``joined`` become part of."""
        for chain in joined:
            grown.earliest = min(grown.earliest, chain.earliest)
            grown.latest = max(grown.latest, chain.latest)
            if chain.stored is not None:
                self._dropped.append((key, *chain.stored[:2]))
        return [*(chain for chain in self._chains.get(key, ()) if chain not in joined), grown]


_CHAIN = ("key", "earliest", "incident_id")
"""The primary key of ``link_key``."""


def incident_id_of(report_id: str) -> str:
    """Id of an incident that begins with this report; says nothing of its content."""
    return f"inc-{hashlib.sha256(report_id.encode()).hexdigest()[:12]}"
