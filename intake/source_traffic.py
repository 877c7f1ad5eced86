"""How much each source sends: records by the hour, and how many of them were refused.

Only whoever has a topic of his own is counted; on the topics that all share nobody is known.
Source: domain 6.2; reliability F-K10.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from infra.database import Database
from infra.tables_sources import source_hour
from intake.preparing import Ready
from intake.records import RawRecord
from protocol.parties import ANONYMOUS

_ADD = (
    update(source_hour)
    .where(
        source_hour.c.principal == bindparam("whose"),
        source_hour.c.hour == bindparam("began"),
    )
    .values(
        records=source_hour.c.records + bindparam("more"),
        refused=source_hour.c.refused + bindparam("more_refused"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a source has sent so far."""

    records: int = 0
    refused: int = 0
    last_hour: datetime | None = None
    """Beginning of the last hour in which anything came; None when nothing ever did."""
    busiest: int = 0
    """Records of its fullest hour since the time that was asked for."""


def count_records(
    database: Database, connection: Connection, settled: Sequence[tuple[RawRecord, Ready]]
) -> None:
    """Count the records of a batch; two statements, whatever its size, and none without sources."""
    records: Counter[tuple[str, datetime]] = Counter()
    refused: Counter[tuple[str, datetime]] = Counter()
    for record, ready in settled:
        if record.principal != ANONYMOUS:
            key = (record.principal, _hour(record.received_at))
            records[key] += 1
            refused[key] += bool(ready.reason)
    if not records:
        return
    keys = sorted(records)  # one order for all, so that no two wait for each other
    connection.execute(
        database.insert_new(source_hour),
        [{"principal": who, "hour": hour, "records": 0, "refused": 0} for who, hour in keys],
    )
    connection.execute(
        _ADD,
        [
            {
                "whose": who,
                "began": hour,
                "more": records[who, hour],
                "more_refused": refused[who, hour],
            }
            for who, hour in keys
        ],
    )


def traffic(connection: Connection, *, busiest_since: datetime) -> dict[str, Traffic]:
    """What each principal has sent, in all and in its fullest hour since ``busiest_since``."""
    busiest: dict[str, int] = {
        row.principal: row.most
        for row in connection.execute(
            select(source_hour.c.principal, func.max(source_hour.c.records).label("most"))
            .where(source_hour.c.hour >= busiest_since)
            .group_by(source_hour.c.principal)
        )
    }
    rows = connection.execute(
        select(
            source_hour.c.principal,
            func.sum(source_hour.c.records).label("records"),
            func.sum(source_hour.c.refused).label("refused"),
            func.max(source_hour.c.hour).label("last_hour"),
        ).group_by(source_hour.c.principal)
    )
    return {
        row.principal: Traffic(
            records=int(row.records),
            refused=int(row.refused),
            last_hour=row.last_hour,
            busiest=busiest.get(row.principal, 0),
        )
        for row in rows
    }


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
