"""Typing commands on a home that was up once, as the tests of the command line do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra import audit
from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.settings import Settings
from intake.records import RawRecord
from intake.settled import Settled
from intake.store import Store
from protocol.parties import ANONYMOUS, SourceGroup

DONE, REFUSED, USAGE, DOWN = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Answer]


def store(home: Path, *bodies: bytes, first: int = 0) -> str:
    """Put reports into the home as intake would, as records from ``first`` on; their one incident."""
    (incident,) = _settled(home, bodies, ANONYMOUS, first).incidents
    return incident


def store_of_source(home: Path, source: str, *bodies: bytes) -> list[str]:
    """The same with what came on the topic of a source; the ids of the reports."""
    return _settled(home, bodies, source, 0).stored


def _settled(home: Path, bodies: tuple[bytes, ...], principal: str, first: int) -> Settled:
    settings = Settings.load(home)
    database = Database(settings.database_url)
    records = [
        RawRecord(
            topic="leerp.intake.law-enforcement.v1",
            partition=0,
            offset=offset,
            group=SourceGroup.LAW_ENFORCEMENT,
            principal=principal,
            headers={},
            body=body,
            received_at=datetime.now(UTC),
        )
        for offset, body in enumerate(bodies, start=first)
    ]
    stored = Store(database, settings.profile(), exercise=True, telling=lambda _: True)
    preparer = stored.preparer(IntakeSettings())
    settled = stored.settle([(r, preparer.read(r)) for r in records], source="test")
    database.close()
    return settled


def audited(home: Path, event: str) -> list[dict[str, Any]]:
    """The rows of the audit trail with this event."""
    database = Database(Settings.load(home).database_url)
    with database.read() as connection:
        assert audit.verify(connection).verified
        found = [row for row in audit.export(connection) if row["event"] == event]
    database.close()
    return found
