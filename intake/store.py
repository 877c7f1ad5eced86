"""The one transaction of a batch: reports, bodies, indicators, links, relay, audit and offsets.

Either all of a batch is stored or none of it, with the position in Kafka, so a crash at any point
neither loses a report nor stores it twice. Source: design section 3, reliability 3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from infra import audit
from infra.database import Database
from infra.tables import evaluation, incident, indicator, link, quarantine, raw_body, report
from intake.correlation import CHUNK, Correlator, Placement
from intake.detection import detect_in
from intake.grading import intake_evaluation
from intake.link_keys import link_keys
from intake.offsets import not_yet_settled, save_offsets, span
from intake.records import Accepted, RawRecord, Rejected
from intake.rows import body_row, link_row, quarantine_row, report_row
from protocol.profile import Profile
from protocol.report import IncidentReport, Indicator

WRITER = 1
"""Number of the lock that intake processes share."""


@dataclass(slots=True, kw_only=True)
class Settled:
    """What became of a batch."""

    stored: list[str] = field(default_factory=list)
    duplicates: int = 0
    quarantined: int = 0
    incidents: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)


class Store:
    """Settles batches of one home; safe to run in several processes at once."""

    def __init__(
        self,
        database: Database,
        profile: Profile,
        *,
        exercise: bool,
        telling: Callable[[Indicator], bool],
    ) -> None:
        self._database = database
        self._profile = profile
        self._exercise = exercise
        self._telling = telling

    def settle(self, batch: Sequence[Accepted | Rejected], *, source: str) -> Settled:
        """Store a batch as a whole; records already settled before are passed over.

        ``source`` names the process in the audit trail.
        """
        settled = Settled()
        with self._database.write() as connection:
            self._database.serialise(connection, WRITER)
            fresh = not_yet_settled(connection, batch)
            if not fresh:
                return settled
            self._save_bodies(connection, [outcome.record for outcome in fresh])
            _quarantine(connection, [o for o in fresh if isinstance(o, Rejected)], settled)
            self.save_reports(
                connection,
                [r for o in fresh if isinstance(o, Accepted) for r in o.reports],
                settled,
            )
            save_offsets(connection, fresh)
            audit.append(
                connection,
                "batch_settled",
                actor=source,
                subject="intake",
                channel="kafka",
                stored=settled.stored,
                duplicates=settled.duplicates,
                quarantined=dict(settled.reasons),
                offsets=span(fresh),
            )
        return settled

    def save_reports(
        self, connection: Connection, reports: Sequence[IncidentReport], settled: Settled
    ) -> None:
        """Store new reports, count repeated ones, and link the new ones to incidents."""
        first_of: dict[str, IncidentReport] = {}
        repeats: Counter[str] = Counter()
        for each in reports:
            if each.id in first_of:
                repeats[each.id] += 1
            else:
                first_of[each.id] = each
        known = _known_ids(connection, list(first_of))
        repeats.update(known)
        new = [r for i, r in first_of.items() if i not in known]
        if new:
            placements = self._correlate(connection, new)
            self._insert(connection, new, placements)
            touched = {p.incident_id for p in placements.values()}
            detect_in(connection, touched, self._profile)
            settled.stored += [r.id for r in new]
            settled.incidents |= touched
        settled.duplicates += repeats.total()
        for report_id, times in repeats.items():
            connection.execute(
                update(report)
                .where(report.c.id == report_id)
                .values(duplicates=report.c.duplicates + times)
            )

    def _correlate(
        self, connection: Connection, new: Sequence[IncidentReport]
    ) -> dict[str, Placement]:
        rules = self._profile.correlation
        keys = {r.id: link_keys(r, rules, self._telling) for r in new}
        correlator = Correlator(window=rules.window)
        correlator.load(connection, (key for own in keys.values() for key in own))
        now = datetime.now(UTC)
        placements = {r.id: correlator.place(r.id, keys[r.id], r.window(), now) for r in new}
        for placement in placements.values():
            correlator.follow(placement)
        opened = sorted({p.incident_id for p in placements.values() if p.new})
        known = correlator.incidents
        if opened:
            connection.execute(
                self._database.insert_new(incident),
                [
                    {
                        "id": incident_id,
                        "created_at": known[incident_id].created_at,
                        "status": "triage",
                        "exercise": self._exercise,
                        "profile": self._profile.name,
                    }
                    for incident_id in opened
                ],
            )
        correlator.save(connection, now)
        return placements

    def _insert(
        self,
        connection: Connection,
        new: Sequence[IncidentReport],
        placements: Mapping[str, Placement],
    ) -> None:
        now = datetime.now(UTC)
        rows, evaluations, links = [], [], []
        for each in new:
            placement = placements[each.id]
            judged = intake_evaluation(each)
            rows.append(report_row(each, placement.incident_id, judged.grade))
            evaluations.append(judged.row(each.id, now))
            links.append(link_row(each, placement, now))
        connection.execute(insert(report), rows)
        connection.execute(insert(evaluation), evaluations)
        connection.execute(insert(link), links)
        numbers = _sequence_numbers(connection, [r.id for r in new])
        indicators = [
            {"report_seq": numbers[r.id], "type": i.type, "value": i.value}
            for r in new
            for i in r.indicators
        ]
        if indicators:
            connection.execute(insert(indicator), indicators)

    def _save_bodies(self, connection: Connection, records: Sequence[RawRecord]) -> None:
        bodies = {record.sha256: record for record in records}
        connection.execute(
            self._database.insert_new(raw_body), [body_row(record) for record in bodies.values()]
        )


def _quarantine(connection: Connection, rejected: Sequence[Rejected], settled: Settled) -> None:
    settled.quarantined += len(rejected)
    settled.reasons.update(outcome.reason for outcome in rejected)
    if rejected:
        connection.execute(insert(quarantine), [quarantine_row(outcome) for outcome in rejected])


def _known_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(ids), CHUNK):
        known |= set(
            connection.scalars(
                select(report.c.id).where(report.c.id.in_(ids[start : start + CHUNK]))
            )
        )
    return known


def _sequence_numbers(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for start in range(0, len(ids), CHUNK):
        rows = connection.execute(
            select(report.c.id, report.c.seq).where(report.c.id.in_(ids[start : start + CHUNK]))
        )
        numbers |= {row.id: row.seq for row in rows}
    return numbers
