"""Reports and records that the tests of intake share."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.kafka import topic_of
from infra.settings import Settings
from infra.tables import report
from intake.formats.own import NAME
from intake.link_keys import Known
from intake.preparing import Preparer, Ready
from intake.records import RawRecord
from intake.sheaf import Read
from intake.store import Store
from protocol.parties import SourceGroup
from protocol.profile import Profile
from protocol.report import (
    Affected,
    Impact,
    IncidentReport,
    Indicator,
    IndicatorType,
    ReportContent,
    Reporter,
    TimeKind,
    TimeWindow,
)

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
KINDS = {"hash": IndicatorType.SHA256, "ip": IndicatorType.IP, "domain": IndicatorType.DOMAIN}
LIMITS = IntakeSettings()
EVERYBODYS = {"ip-9", "domain-9", "hash-9"}
"""Short names of indicators that stand on a warning list."""


@functools.cache
def profile() -> Profile:
    return Settings().profile()


def indicator(short: str) -> Indicator:
    """``hash-1``, ``ip-2``, ``domain-3``: the same short name is the same value."""
    kind, number = short.split("-")
    value = {
        "hash": hashlib.sha256(short.encode()).hexdigest(),
        "ip": f"198.51.100.{number}",
        "domain": f"c2-{number}.invalid.test",
    }[kind]
    return Indicator(type=KINDS[kind], value=value)


def telling(known: Known) -> bool:
    return known[1] not in {indicator(short).value for short in EVERYBODYS}


def content(
    name: str, *shorts: str, day: float = 0, lasts: float = 0, **changes: Any
) -> ReportContent:
    """A report of something observed so many days after the start, with these indicators."""
    begin = START + timedelta(days=day)
    seen = TimeWindow(kind=TimeKind.OBSERVED, earliest=begin, latest=begin + timedelta(days=lasts))
    values: dict[str, Any] = {
        "source_id": name,
        "title": f"Report {name}",
        "reporter": Reporter(name="CSIRT of nowhere", country="EE"),
        "times": (seen,),
        "indicators": tuple(indicator(short) for short in shorts),
    }
    return ReportContent(**values | changes)


def major(name: str, *shorts: str, **changes: Any) -> ReportContent:
    """A report that makes its incident a detection by R7: two states, a severe effect."""
    return content(
        name,
        *shorts,
        affected=(Affected(kind="country", value="EE"), Affected(kind="country", value="FI")),
        impact=Impact(criteria=("essential-service-disrupted",)),
        **changes,
    )


def body_of(what: ReportContent) -> bytes:
    return json.dumps({"format": NAME, **what.model_dump(mode="json")}).encode()


def record(
    body: bytes | ReportContent,
    *,
    offset: int = 0,
    partition: int = 0,
    group: SourceGroup = SourceGroup.CSIRT,
    headers: Mapping[str, str] | None = None,
) -> RawRecord:
    """A record as it comes off Kafka."""
    return RawRecord(
        topic=topic_of(group),
        partition=partition,
        offset=offset,
        group=group,
        principal="anonymous",
        headers=headers or {},
        body=body if isinstance(body, bytes) else body_of(body),
        received_at=START,
    )


def read(*records: RawRecord, limits: IntakeSettings = LIMITS) -> list[Read]:
    """What became of records, ready to be settled."""
    preparer = Preparer(profile(), telling, limits)
    return [(each, preparer.read(each)) for each in records]


def reports_of(ready: Ready) -> list[IncidentReport]:
    """The reports of a record as they are stored."""
    return [IncidentReport.model_validate_json(each.document) for each in ready.originals]


def read_all(
    bodies: Iterable[bytes | ReportContent], first: int = 0, limits: IntakeSettings = LIMITS
) -> list[Read]:
    """What became of records that follow each other on one partition."""
    records = (record(body, offset=first + n) for n, body in enumerate(bodies))
    return read(*records, limits=limits)


def store_of(database: Database) -> Store:
    return Store(database, profile(), exercise=True, telling=telling)


def clusters(database: Database) -> set[frozenset[str]]:
    """The source ids of the reports, by incident."""
    found: dict[str, set[str]] = {}
    with database.read() as connection:
        for incident_id, source_id in connection.execute(
            select(report.c.incident_id, report.c.source_id)
        ):
            found.setdefault(incident_id, set()).add(source_id)
    return {frozenset(members) for members in found.values()}
