"""The one transaction of a batch: reports, bodies, indicators, links, relay, audit and offsets.

Either all of a batch is stored or none of it, with the position in Kafka, so a crash at any point
neither loses a report nor stores it twice. Source: design section 3, reliability 3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from classification.evidence import evidence_of
from infra import audit
from infra.database import Database
from infra.tables import (
    consumer_offset,
    evaluation,
    incident,
    indicator,
    link,
    quarantine,
    raw_body,
    report,
)
from intake.correlation import CHUNK, Correlator, Placement
from intake.detection import detect_in
from intake.grading import intake_evaluation
from intake.link_keys import link_keys
from intake.records import Accepted, RawRecord, Rejected
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
            fresh = _not_yet_settled(connection, batch)
            if not fresh:
                return settled
            self._save_bodies(connection, [outcome.record for outcome in fresh])
            self._quarantine(connection, [o for o in fresh if isinstance(o, Rejected)], settled)
            self.save_reports(
                connection,
                [r for o in fresh if isinstance(o, Accepted) for r in o.reports],
                settled,
            )
            _save_offsets(connection, fresh)
            audit.append(
                connection,
                "batch_settled",
                actor=source,
                subject="intake",
                channel="kafka",
                stored=settled.stored,
                duplicates=settled.duplicates,
                quarantined=dict(settled.reasons),
                offsets=_span(fresh),
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
        for placement in placements.values():  # an incident may have been absorbed meanwhile
            placement.incident_id = correlator.current(placement.incident_id)
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
        correlator.save(connection)
        return placements

    def _insert(
        self,
        connection: Connection,
        new: Sequence[IncidentReport],
        placements: dict[str, Placement],
    ) -> None:
        now = datetime.now(UTC)
        rows, evaluations, links = [], [], []
        for each in new:
            placement = placements[each.id]
            judged = intake_evaluation(each)
            rows.append(_report_row(each, placement.incident_id, judged.grade))
            evaluations.append(judged.row(each.id, now))
            links.append(
                {
                    "report_id": each.id,
                    "incident_id": placement.incident_id,
                    "at": now,
                    "by": "correlation",
                    "reason": {"opens": placement.new, "shared": list(placement.shared)},
                }
            )
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
        bodies = {r.sha256: r for r in records}
        connection.execute(
            self._database.insert_new(raw_body),
            [
                {
                    "sha256": sha256,
                    "media_type": r.headers.get("content-type", "application/octet-stream")[:100],
                    "size": len(r.body),
                    "body": r.body,
                }
                for sha256, r in bodies.items()
            ],
        )

    def _quarantine(
        self, connection: Connection, rejected: Sequence[Rejected], settled: Settled
    ) -> None:
        for outcome in rejected:
            settled.quarantined += 1
            settled.reasons[outcome.reason] += 1
        if rejected:
            connection.execute(insert(quarantine), [_quarantine_row(o) for o in rejected])


def _quarantine_row(outcome: Rejected) -> dict[str, Any]:
    record = outcome.record
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "group": record.group,
        "sha256": record.sha256,
        "size": len(record.body),
        "headers": dict(record.headers),
        "reason": outcome.reason,
        "message": outcome.message,
        "received_at": record.received_at,
        "status": "open",
    }


def _report_row(each: IncidentReport, incident_id: str, grade: Any) -> dict[str, Any]:
    return {
        "id": each.id,
        "group": each.group,
        "principal": each.principal,
        "source_id": each.source_id,
        "format": each.format,
        "title": each.title,
        "received_at": each.received_at,
        "sha256": each.sha256,
        "document": each.model_dump(mode="json"),
        "duplicates": 0,
        "incident_id": incident_id,
        "evidence": evidence_of(each, None).to_json(),
        "source_grade": grade.source,
        "information_grade": grade.information,
    }


def _not_yet_settled(
    connection: Connection, batch: Sequence[Accepted | Rejected]
) -> list[Accepted | Rejected]:
    """Leave out what lies before the stored position: another process has settled it."""
    positions = {
        (row.topic, row.partition): row.next for row in connection.execute(select(consumer_offset))
    }
    return [
        outcome
        for outcome in batch
        if outcome.record.offset
        >= positions.get((outcome.record.topic, outcome.record.partition), 0)
    ]


def _save_offsets(connection: Connection, settled: Sequence[Accepted | Rejected]) -> None:
    for (topic, partition), (_, last) in _ends(settled).items():
        moved = connection.execute(
            update(consumer_offset)
            .where(consumer_offset.c.topic == topic, consumer_offset.c.partition == partition)
            .values(next=last + 1)
        )
        if moved.rowcount == 0:
            connection.execute(
                insert(consumer_offset).values(topic=topic, partition=partition, next=last + 1)
            )


def _ends(settled: Sequence[Accepted | Rejected]) -> dict[tuple[str, int], tuple[int, int]]:
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    for outcome in settled:
        where = (outcome.record.topic, outcome.record.partition)
        first, last = ends.get(where, (outcome.record.offset, outcome.record.offset))
        ends[where] = (min(first, outcome.record.offset), max(last, outcome.record.offset))
    return ends


def _span(settled: Sequence[Accepted | Rejected]) -> dict[str, str]:
    return {
        f"{topic}/{partition}": f"{first}-{last}"
        for (topic, partition), (first, last) in _ends(settled).items()
    }


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
