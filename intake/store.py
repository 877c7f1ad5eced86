"""The one transaction of a batch: reports, bodies, indicators, links, relay, audit and offsets.

Either all of a batch is stored or none of it, with the position in Kafka, so a crash at any point
neither loses a report nor stores it twice. A batch with a record over which we fail is settled
record by record, so that one report never stops intake. Source: design section 3, reliability 3.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from infra import audit, casefile, kafka
from infra.bootstrap import App
from infra.bulk import Bulk
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.tables import report
from intake.claims import NO_CLAIMS
from intake.correlation import Correlator
from intake.detection import claims_together, detect_by_claims, detect_in, save_claims
from intake.link_keys import Telling, link_keys
from intake.lookups import incidents_of_named, known_ids
from intake.offsets import past, positions, save_offsets, spans_of
from intake.placement import Placement
from intake.preparing import Preparer, Ready, microseconds
from intake.records import RawRecord, defect_of, unprocessable
from intake.rows import (
    Item,
    add_bodies,
    add_incidents,
    add_links,
    add_quarantined,
    add_reports,
    add_retractions,
    count_repeats,
)
from intake.source_traffic import count_records
from intake.standing import Standings
from intake.standings import SourceBook
from intake.warning_lists import WarningLists, telling_by
from protocol.errors import ServiceDown
from protocol.profile import Profile
from protocol.report import IncidentReport

log = structlog.get_logger()

WRITER = 1
"""Number of the lock that intake processes share."""
OUTAGES = (OperationalError, InterfaceError, NoConnectionFree, OSError, ServiceDown)
"""What is no record's fault: it passes, and the same batch is settled later."""

Read = tuple[RawRecord, Ready]
"""A record, and what became of it when it was read."""
Keyed = tuple[str, Mapping[int, tuple[str, ...]], int, int]
"""Id, link keys, earliest and latest time of a report."""


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
        self, database: Database, profile: Profile, *, exercise: bool, telling: Telling
    ) -> None:
        self._database = database
        self._profile = profile
        self._exercise = exercise
        self._telling = telling
        self._sources = SourceBook()
        self._asking = threading.Lock()

    def preparer(self, limits: IntakeSettings) -> Preparer:
        """What reads records for this store."""
        return Preparer(self._profile, self._telling, limits)

    def standings(self) -> Standings:
        """What the registry says of each source by now."""
        with self._asking, self._database.read() as connection:
            return self._sources.standings(connection)

    def quota(self, topic: str) -> int | None:
        """Records that a source may send on its topic in an hour, as far as is known by now."""
        return self._sources.newest.of(kafka.source_of(topic), kafka.group_of(topic)).quota

    def settle(self, batch: Sequence[Read], *, source: str) -> Settled:
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
        for one in batch:
            settled.add(self._settle_one(one, source))
        return settled

    def _settle_one(self, one: Read, source: str) -> Settled:
        try:
            return self._settle_together([one], source)
        except OUTAGES:
            raise
        except Exception as exc:  # noqa: BLE001  as above; this is the record
            record = kept(one)
            rejected = unprocessable(record, exc)
            refused = Ready(record.sha256, "", [], rejected.reason, rejected.message)
            return self._settle_together([(record, refused)], source)

    def _settle_together(self, batch: Sequence[Read], source: str) -> Settled:
        settled = Settled()
        with self._database.write() as connection:
            self._database.serialise(connection, WRITER)
            reached = positions(connection)
            fresh = [(kept(one), one[1]) for one in batch if not past(reached, one[0])]
            if not fresh:
                return settled
            self._quarantine(connection, [one for one in fresh if one[1].reason], settled)
            self.save_reports(connection, fresh, settled)
            spans = spans_of(record for record, _ in fresh)
            save_offsets(connection, spans)
            count_records(self._database, connection, fresh)
            audit.append(
                connection,
                "batch_settled",
                actor=source,
                subject="intake",
                channel="kafka",
                stored=settled.stored,
                duplicates=settled.duplicates,
                quarantined=dict(settled.reasons),
                offsets={
                    f"{topic}/{partition}": f"{first}-{last}"
                    for (topic, partition), (first, last) in spans.items()
                },
            )
        return settled

    def save_reports(self, connection: Connection, batch: Sequence[Read], settled: Settled) -> None:
        """Store new reports, count repeated ones, and link the new ones to incidents."""
        first_of: dict[str, Item] = {}
        repeats: Counter[str] = Counter()
        seen: dict[str, datetime] = {}
        for record, ready in batch:
            for each in ready.reports:
                seen[each.id] = record.received_at
                if each.id in first_of:
                    repeats[each.id] += 1
                else:
                    first_of[each.id] = (record, ready.format, ready.sha256, each)
        known = known_ids(connection, first_of)
        repeats.update(known)
        new = [item for i, item in first_of.items() if i not in known]
        if new:
            settled.incidents |= self._store(connection, new)
            settled.stored += [each.id for *_, each in new]
        settled.duplicates += repeats.total()
        count_repeats(connection, repeats, seen)

    def place_again(
        self, connection: Connection, reports: Sequence[IncidentReport], *, continues: str
    ) -> set[str]:
        """Link stored reports anew, apart from the ended incident ``continues``; return where to."""
        rules = self._profile.correlation
        keyed: list[Keyed] = []
        for each in reports:
            earliest, latest = map(microseconds, each.window())
            keyed.append((each.id, link_keys(each, rules, self._telling), earliest, latest))
        now = datetime.now(UTC)
        correlator, placements = self._correlate(connection, keyed, now, continues)
        self._open(connection, correlator, placements, {})
        for report_id, placement in placements.items():
            connection.execute(
                update(report)
                .where(report.c.id == report_id)
                .values(incident_id=placement.incident_id)
            )
        add_links(Bulk(connection), list(placements), placements, now)
        touched = {p.incident_id for p in placements.values()}
        detect_in(connection, touched, self._profile)
        return touched

    def _store(self, connection: Connection, new: Sequence[Item]) -> set[str]:
        """Link and write new reports; return the incidents that they touch."""
        bulk, now = Bulk(connection), datetime.now(UTC)
        keyed: list[Keyed] = [(r.id, r.keys, r.earliest, r.latest) for *_, r in new]
        correlator, placements = self._correlate(connection, keyed, now)
        said = {(placements[r.id].incident_id, r.claimed) for *_, r in new}
        grown = claims_together(correlator, said)
        self._open(connection, correlator, placements, grown)
        bodies = add_bodies(bulk, [(record, sha256) for record, _, sha256, _ in new])
        add_reports(bulk, new, placements, bodies, now)
        named = add_retractions(bulk, new)
        opened = {p.incident_id for p in placements.values() if p.new}
        save_claims(connection, {i: c for i, c in grown.items() if i not in opened})
        detected = detect_by_claims(connection, grown, self._profile)
        touched = {p.incident_id for p in placements.values()}
        for incident_id in sorted(touched):
            if incident_id in detected or correlator.incidents[incident_id].detected:
                casefile.tell(connection, "incident", incident_id)
        changed = correlator.moved | (incidents_of_named(connection, named) if named else set())
        if changed:
            detect_in(connection, changed - detected, self._profile)
            touched |= changed
        return touched

    def _correlate(
        self, connection: Connection, keyed: Sequence[Keyed], now: datetime, continues: str = ""
    ) -> tuple[Correlator, dict[str, Placement]]:
        correlator = Correlator(connection, self._profile.correlation.window, continues)
        correlator.load({key for _, keys, _, _ in keyed for key in keys})
        placements = {
            report_id: correlator.place(report_id, keys, (earliest, latest), now)
            for report_id, keys, earliest, latest in keyed
        }
        for report_id, placement in placements.items():
            correlator.follow(placement)
            correlator.stand(report_id, placement)
        correlator.save(now)
        return correlator, placements

    def _open(
        self,
        connection: Connection,
        correlator: Correlator,
        placements: Mapping[str, Placement],
        claims: Mapping[str, str],
    ) -> None:
        opened = sorted({p.incident_id for p in placements.values() if p.new})
        add_incidents(
            Bulk(connection),
            [(correlator.incidents[i], claims.get(i, NO_CLAIMS)) for i in opened],
            exercise=self._exercise,
            profile=self._profile.name,
        )

    def _quarantine(
        self, connection: Connection, refused: Sequence[Read], settled: Settled
    ) -> None:
        if not refused:
            return
        bulk = Bulk(connection)
        bodies = add_bodies(bulk, [(record, ready.sha256) for record, ready in refused])
        add_quarantined(
            bulk,
            [(record, ready.sha256, ready.reason, ready.message) for record, ready in refused],
            bodies,
        )
        settled.quarantined += len(refused)
        settled.reasons.update(ready.reason for _, ready in refused)


def open_store(app: App) -> Store:
    """The store of this home, with the public warning lists."""
    return Store(
        app.database,
        app.settings.profile(),
        exercise=app.settings.exercise,
        telling=telling_by(WarningLists()),
    )


def kept(one: Read) -> RawRecord:
    """The record as it may be kept."""
    record, ready = one
    return record if ready.kept is None else replace(record, body=ready.kept)
