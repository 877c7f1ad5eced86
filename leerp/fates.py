"""What became of files that were published, as intake's tables say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from infra.packing import unpacked
from infra.tables import consumer_offset, quarantine, report
from intake.receipts import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One file on its way: where it lies in Kafka, and the reports in it."""

    file: str
    receipt: Receipt
    ids: tuple[str, ...] = ()
    """Ids that intake will give the reports; none when it will refuse them, or nobody waits."""
    new: frozenset[str] = frozenset()
    """Those of the ids that were not known before, in the database or of this sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one file; the JSON of design section 6."""

    file: str
    published: int
    stored: int = 0
    duplicates: int = 0
    quarantined: list[dict[str, str]] = field(default_factory=list)
    indicators: int = 0
    incidents: list[str] = field(default_factory=list)
    refused: dict[str, str] | None = None
    """Reason and message where the file was not sent."""

    def as_json(self) -> dict[str, Any]:
        """The fields; ``refused`` only where there is something in it."""
        fields = asdict(self)
        if self.refused is None:
            del fields["refused"]
        return fields


def known(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of the reports that are stored."""
    return set(connection.scalars(select(report.c.id).where(report.c.id.in_(ids))))


def settled(connection: Connection, topic: str) -> dict[int, int]:
    """By partition, the first offset that intake has not settled."""
    rows = connection.execute(
        select(consumer_offset.c.partition, consumer_offset.c.next).where(
            consumer_offset.c.topic == topic
        )
    )
    return {row.partition: row.next for row in rows}


def fate(connection: Connection, sent: Sent) -> Fate:
    """What became of a file that intake has settled."""
    place = sent.receipt
    rows = connection.execute(
        select(report.c.id, report.c.incident_id, report.c.indicators).where(
            report.c.id.in_(sent.ids)
        )
    ).all()
    refused = connection.execute(
        select(quarantine.c.reason, quarantine.c.message).where(
            quarantine.c.topic == place.topic,
            quarantine.c.partition == place.partition,
            quarantine.c.offset == place.offset,
        )
    )
    there = {row.id for row in rows}
    stored = len(there & sent.new)
    return Fate(
        file=sent.file,
        published=1,
        stored=stored,
        duplicates=sum(each in there for each in sent.ids) - stored,
        quarantined=[dict(row) for row in refused.mappings()],
        indicators=sum(len(unpacked(row.indicators)) for row in rows),
        incidents=sorted({row.incident_id for row in rows}),
    )
