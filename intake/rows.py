"""What records, reports and links look like as rows of the database: columns, and values for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, update

from infra.bulk import Bulk
from infra.originals import BODIES, FIRST_PLACES, ORIGINALS
from infra.packing import Packed, only
from infra.stored import FirstPlace
from infra.tables import incident, link, quarantine, report, retraction
from intake.offsets import Place, past
from intake.placement import Known, Placement
from intake.preparing import Prepared
from intake.records import RawRecord
from intake.sheaf import Sheaf, body_of
from protocol.parties import ANONYMOUS


class Item(NamedTuple):
    """A report with the record that it came in."""

    record: RawRecord
    format: str
    report: Prepared
    body: int
    """Which of the sheaf's bodies, from 0."""
    place: int
    """Which of the sheaf's reports, from 0."""


def items_of(batch: Sheaf, reached: Mapping[Place, int]) -> Iterator[Item]:
    """The reports of a batch, but for the records before these positions."""
    place, body = count(), count()
    for record, ready in batch.reads:
        if ready.reason:
            continue
        number, settled_before = next(body), past(reached, record)
        for each in ready.reports:
            item = Item(record, ready.format, each, number, next(place))
            if not settled_before:
                yield item


def add_bodies(bulk: Bulk, bodies: Sequence[tuple[RawRecord, str]]) -> dict[str, int]:
    """Store what came, each body once; return the number of each by its SHA-256."""
    by_digest = {sha256: record for record, sha256 in bodies}
    first = BODIES.add(bulk, map(body_of, by_digest.values()))
    return dict(zip(by_digest, count(first), strict=False))


def add_incidents(
    bulk: Bulk, opened: Sequence[tuple[Known, str]], *, exercise: bool, profile: str
) -> None:
    """Open clusters under triage, each with what its reports claim."""
    bulk.insert(
        incident,
        ("id", "created_at", "status", "exercise", "profile", "claimed"),
        [
            (
                *(known.id, bulk.time(known.created_at), "triage", exercise, profile),
                claimed,
            )
            for known, claimed in opened
        ],
    )


def add_reports(
    bulk: Bulk,
    items: Sequence[Item],
    given: Sheaf,
    placements: Mapping[str, Placement],
    now: datetime,
) -> None:
    """Store those reports of a sheaf: what may change of them as rows, the rest as it came."""
    places = [placements[item.report.id] for item in items]
    first = ORIGINALS.put(bulk, _only(given.originals, [i.place for i in items]), at=bulk.time(now))
    FIRST_PLACES.add(bulk, [FirstPlace(p.incident_id, reason_of(p)) for p in places])
    used = sorted({item.body for item in items})
    bodies = dict(zip(used, count(BODIES.put(bulk, _only(given.bodies, used))), strict=False))
    bulk.insert(
        report,
        _REPORT,
        [
            (
                seq,
                each.id,
                record.group.value,
                record.principal,
                each.source_id,
                form,
                each.title,
                bulk.time(record.received_at),
                bodies[body],
                0,
                place.incident_id,
                each.evidence,
                each.source_grade,
                each.information_grade,
                each.provider_graded,
                each.indicators,
            )
            for seq, (record, form, each, body, _), place in zip(count(first), items, places)
        ],
    )


def _only(blocks: Sequence[Packed], places: Sequence[int]) -> Iterator[Packed]:
    """The blocks with the items at these places."""
    wanted = [False] * sum(block.count for block in blocks)
    for place in places:
        wanted[place] = True
    return only(blocks, wanted)


def add_links(
    bulk: Bulk, ids: Sequence[str], placements: Mapping[str, Placement], now: datetime
) -> None:
    """Note where reports went that are stored already."""
    at = bulk.time(now)
    bulk.insert(
        link,
        _LINK,
        [(i, placements[i].incident_id, at, "correlation", reason_of(placements[i])) for i in ids],
    )


def count_repeats(
    connection: Connection, repeats: Mapping[str, int], seen: Mapping[str, datetime]
) -> None:
    """Count further deliveries of stored reports, and when each came last."""
    if repeats:
        connection.execute(
            _COUNT_REPEATS,
            [{"at": i, "times": times, "seen": seen[i]} for i, times in repeats.items()],
        )


def add_retractions(bulk: Bulk, items: Sequence[Item]) -> set[str]:
    """Note what reports take back; return the names of what was taken back."""
    rows = [
        (each.id, kind, name, None if record.principal == ANONYMOUS else record.principal)
        for record, _, each, _, _ in items
        for kind, name in each.retractions
    ]
    bulk.insert(retraction, ("report_id", "kind", "named", "principal"), rows)
    return {name for _, _, name, _ in rows}


def add_quarantined(
    bulk: Bulk, refused: Sequence[tuple[RawRecord, str, str, str]], bodies: Mapping[str, int]
) -> None:
    """Put records into quarantine: record, SHA-256, reason and message of each."""
    bulk.insert(
        quarantine,
        (
            *("topic", "partition", "offset", "group", "sha256", "body_id", "size", "headers"),
            *("reason", "message", "received_at", "status"),
        ),
        [
            (
                *(record.topic, record.partition, record.offset, record.group.value, sha256),
                *(bodies[sha256], len(record.body), json.dumps(dict(record.headers))),
                *(reason, message, bulk.time(record.received_at), "open"),
            )
            for record, sha256, reason, message in refused
        ],
    )


def reason_of(placement: Placement) -> str:
    """Why a report is where it is, as JSON text."""
    if placement.new and not placement.continues:
        return _OPENS
    return _encode(placement.reason()).decode()


_encode = msgspec.json.Encoder().encode
_OPENS = _encode({"opens": True, "shared": []}).decode()
_REPORT = (
    *("seq", "id", "group", "principal", "source_id", "format", "title", "received_at", "body_id"),
    *("duplicates", "incident_id", "evidence", "source_grade", "information_grade"),
    *("provider_graded", "indicators"),
)
_LINK = ("report_id", "incident_id", "at", "by", "reason")
_COUNT_REPEATS = (
    update(report)
    .where(report.c.id == bindparam("at"))
    .values(duplicates=report.c.duplicates + bindparam("times"), last_seen_at=bindparam("seen"))
)
