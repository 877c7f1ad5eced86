"""The one transaction of a batch: reports, bodies, indicators, links, relay, audit and offsets.

Either all of a batch is stored or none of it, with the position in Kafka, so a crash at any point
neither loses a report nor stores it twice. A batch with a record over which we fail is settled
record by record, so that one report never stops intake. Source: design section 3, reliability 3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from infra import audit
from infra.bootstrap import App
from infra.database import Database
from infra.tables import (
    evaluation,
    incident,
    indicator,
    link,
    quarantine,
    raw_body,
    report,
    retraction,
)
from intake.correlation import Correlator, Placement
from intake.detection import detect_in
from intake.grading import intake_evaluation
from intake.link_keys import link_keys
from intake.lookups import incidents_of_named, known_ids, sequence_numbers
from intake.offsets import not_yet_settled, save_offsets, span
from intake.records import Accepted, RawRecord, Rejected, defect_of, unprocessable
from intake.rows import body_row, link_row, quarantine_row, report_row, retraction_rows
from intake.warning_lists import WarningLists
from protocol.errors import ServiceDown
from protocol.profile import Profile
from protocol.report import IncidentReport, Indicator

log = structlog.get_logger()

WRITER = 1
"""Number of the lock that intake processes share."""
OUTAGES = (OperationalError, InterfaceError, NoConnectionFree, OSError, ServiceDown)
"""What is no record's fault: it passes, and the same batch is settled later."""


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

        ``source`` names the process in the audit trail. A record over which we fail is put into
        quarantine as ``unprocessable``; the others are stored one by one then.

        Raises:
            OUTAGES: nothing of the batch, or nothing more of it, was stored; settle it again.
        """
        try:
            return self._settle_together(batch, source)
        except OUTAGES:
            raise
        except Exception as exc:  # noqa: BLE001  a defect of ours, shown by one of the records
            log.error(  # noqa: TRY400  without its text
                "batch_unprocessable", error=defect_of(exc), records=len(batch)
            )
        settled = Settled()
        for outcome in batch:
            settled.add(self._settle_one(outcome, source))
        return settled

    def _settle_one(self, outcome: Accepted | Rejected, source: str) -> Settled:
        try:
            return self._settle_together([outcome], source)
        except OUTAGES:
            raise
        except Exception as exc:  # noqa: BLE001  as above; this is the record
            return self._settle_together([unprocessable(outcome.record, exc)], source)

    def _settle_together(self, batch: Sequence[Accepted | Rejected], source: str) -> Settled:
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
        known = known_ids(connection, list(first_of))
        repeats.update(known)
        new = [r for i, r in first_of.items() if i not in known]
        if new:
            placements = self._correlate(connection, new)
            self._insert(connection, new, placements)
            touched = {p.incident_id for p in placements.values()}
            touched |= _take_back(connection, new)
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

    def place_again(
        self, connection: Connection, reports: Sequence[IncidentReport], *, continues: str
    ) -> set[str]:
        """Link stored reports anew, apart from the ended incident ``continues``; return where to."""
        placements = self._correlate(connection, reports, continues)
        now = datetime.now(UTC)
        for each in reports:
            connection.execute(
                update(report)
                .where(report.c.id == each.id)
                .values(incident_id=placements[each.id].incident_id)
            )
        connection.execute(
            insert(link), [link_row(each, placements[each.id], now) for each in reports]
        )
        touched = {p.incident_id for p in placements.values()}
        detect_in(connection, touched, self._profile)
        return touched

    def _correlate(
        self, connection: Connection, new: Sequence[IncidentReport], continues: str = ""
    ) -> dict[str, Placement]:
        rules = self._profile.correlation
        keys = {r.id: link_keys(r, rules, self._telling) for r in new}
        correlator = Correlator(window=rules.window, continues=continues)
        correlator.load(connection, (key for own in keys.values() for key in own))
        now = datetime.now(UTC)
        placements = {r.id: correlator.place(r.id, keys[r.id], r.window(), now) for r in new}
        for report_id, placement in placements.items():
            correlator.follow(placement)
            correlator.stand(report_id, placement)
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
        numbers = sequence_numbers(connection, [r.id for r in new])
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


def open_store(app: App) -> Store:
    """The store of this home, with the public warning lists."""
    lists = WarningLists()
    return Store(
        app.database,
        app.settings.profile(),
        exercise=app.settings.exercise,
        telling=lambda indicator: not lists.names(indicator),
    )


def _take_back(connection: Connection, new: Sequence[IncidentReport]) -> set[str]:
    """Note what the reports withdraw or replace; return the incidents that lose evidence by it."""
    rows = [row for each in new for row in retraction_rows(each)]
    if rows:
        connection.execute(insert(retraction), rows)
    return incidents_of_named(connection, sorted({row["named"] for row in rows}))


def _quarantine(connection: Connection, rejected: Sequence[Rejected], settled: Settled) -> None:
    settled.quarantined += len(rejected)
    settled.reasons.update(outcome.reason for outcome in rejected)
    if rejected:
        connection.execute(insert(quarantine), [quarantine_row(outcome) for outcome in rejected])
