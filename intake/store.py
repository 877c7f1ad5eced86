"""The one transaction of a batch: reports, bodies, indicators, links, relay, audit and offsets.

Either all of a batch is stored or none of it, with the position in Kafka, so a crash at any point
neither loses a report nor stores it twice. A batch with a record over which we fail is settled
record by record, so that one report never stops intake. Source: design section 3, reliability 3.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

import structlog
from sqlalchemy import Connection, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from infra import audit, casefile, kafka
from infra.bootstrap import App
from infra.bulk import Bulk
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.memory import collect_new
from infra.tables import report
from intake.claims import NO_CLAIMS
from intake.correlation import Correlator
from intake.detection import ClaimsTest, claims_together, detect_by_claims, detect_in, save_claims
from intake.link_keys import Linker, PackedKeys, Telling
from intake.lookups import incidents_of_named, known_ids
from intake.offsets import Place, past, positions, save_offsets, spans_of
from intake.placement import Placement
from intake.preparing import Preparer, Ready, microseconds
from intake.records import defect_of, unprocessable
from intake.rows import (
    Item,
    add_bodies,
    add_incidents,
    add_links,
    add_quarantined,
    add_reports,
    add_retractions,
    count_repeats,
    items_of,
)
from intake.settled import Settled
from intake.sheaf import Read, Sheaf, apart, bound, kept_of
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

Keyed = tuple[str, PackedKeys, int, int]
"""Id, link keys, earliest and latest time of a report."""


class Store:
    """Settles batches of one home; safe to run in several processes at once."""

    def __init__(
        self, database: Database, profile: Profile, *, exercise: bool, telling: Telling
    ) -> None:
        self._database = database
        self._profile = profile
        self._exercise = exercise
        self._telling = telling
        self._claims_test = ClaimsTest(profile)
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
        return self.settle_sheaf(bound(batch), source=source)

    def settle_sheaf(self, batch: Sheaf, *, source: str) -> Settled:
        """As ``settle``, of what was bound together where it was read."""
        try:
            return self._settle_together(batch, source)
        except OUTAGES:
            raise
        except Exception as exc:  # noqa: BLE001  a defect of ours, shown by one of the records
            log.error(  # noqa: TRY400  without its text
                "batch_unprocessable", error=defect_of(exc), records=len(batch.reads)
            )
        finally:
            collect_new()
        settled = Settled()
        for one in apart(batch):
            settled.add(self._settle_one(one, source))
        return settled

    def _settle_one(self, one: Read, source: str) -> Settled:
        try:
            return self._settle_together(bound([one]), source)
        except OUTAGES:
            raise
        except Exception as exc:  # noqa: BLE001  as above; this is the record
            record = kept_of(*one)
            rejected = unprocessable(record, exc)
            refused = Ready(record.sha256, "", [], rejected.reason, rejected.message)
            return self._settle_together(bound([(record, refused)]), source)

    def _settle_together(self, batch: Sheaf, source: str) -> Settled:
        settled = Settled()
        with self._database.write() as connection:
            self._database.serialise(connection, WRITER)
            reached = positions(connection)
            fresh = [one for one in batch.reads if not past(reached, one[0])]
            if not fresh:
                return settled
            self._quarantine(connection, [one for one in fresh if one[1].reason], settled)
            self.save_reports(connection, batch, settled, reached)
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

    def save_reports(
        self,
        connection: Connection,
        batch: Sheaf,
        settled: Settled,
        reached: Mapping[Place, int] = MappingProxyType({}),
    ) -> None:
        """Store new reports, count repeated ones, and link the new ones to incidents.

        Records before the positions that were ``reached`` are passed over.
        """
        first_of: dict[str, Item] = {}
        repeats: Counter[str] = Counter()
        seen: dict[str, datetime] = {}
        for item in items_of(batch, reached):
            name = item.report.id
            if name in first_of:
                repeats[name] += 1
                seen[name] = item.record.received_at
            else:
                first_of[name] = item
        known = known_ids(connection, first_of)
        repeats.update(known)
        for name in known:
            seen.setdefault(name, first_of[name].record.received_at)
        new = [item for i, item in first_of.items() if i not in known]
        if new:
            settled.incidents |= self._store(connection, new, batch)
            settled.stored += [item.report.id for item in new]
        settled.duplicates += repeats.total()
        count_repeats(connection, repeats, seen)

    def place_again(
        self, connection: Connection, reports: Sequence[IncidentReport], *, continues: str
    ) -> set[str]:
        """Link stored reports anew, apart from the ended incident ``continues``; return where to."""
        linker = Linker(self._profile.correlation, self._telling)
        keyed: list[Keyed] = []
        for each in reports:
            earliest, latest = map(microseconds, each.window())
            keyed.append((each.id, PackedKeys.of(linker.keys(each)), earliest, latest))
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

    def _store(self, connection: Connection, new: Sequence[Item], batch: Sheaf) -> set[str]:
        """Link and write new reports of a batch; return the incidents that they touch."""
        bulk, now = Bulk(connection), datetime.now(UTC)
        reports = [item.report for item in new]
        keyed: list[Keyed] = [
            (r.id, PackedKeys(r.keys, r.words), r.earliest, r.latest) for r in reports
        ]
        correlator, placements = self._correlate(connection, keyed, now)
        said = {(placements[r.id].incident_id, r.claimed) for r in reports}
        grown = claims_together(correlator, said)
        self._open(connection, correlator, placements, grown)
        add_reports(bulk, new, batch, placements, now)
        named = add_retractions(bulk, new)
        opened = {p.incident_id for p in placements.values() if p.new}
        save_claims(connection, {i: c for i, c in grown.items() if i not in opened})
        detected = detect_by_claims(connection, grown, self._claims_test)
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
        correlator.bring_up_to_date(placements)
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
        bodies = add_bodies(bulk, [(kept_of(*each), each[1].sha256) for each in refused])
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
