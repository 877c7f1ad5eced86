"""Sources, and what they send, for the tests of the registry."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select

from infra import audit
from infra.database import Database
from infra.originals import ORIGINALS
from infra.tables import officer, report
from intake.records import RawRecord
from intake.settled import Settled
from intake.source_registry import register, set_letter
from intake.sources import Source
from intake.store import Store
from leerp.demo.officers import DUTY_OFFICER, MANAGER
from notifications.directory_import import import_directory
from protocol.errors import Refused
from protocol.grades import SourceReliability
from protocol.parties import Role, SourceGroup
from protocol.report import ReportContent
from tests.e2e.support import directory
from tests.intake.samples import LIMITS, record

ANALYST, PROSECUTOR = "k.novak", "p.judge"
__all__ = ["ANALYST", "DUTY_OFFICER", "MANAGER", "PROSECUTOR"]


def source(source_id: str = "cert-ee", **changes: Any) -> Source:
    values: dict[str, Any] = {
        "id": source_id,
        "name": f"Feed of {source_id}",
        "group": SourceGroup.CSIRT,
        "organisation": "CERT of nowhere",
        "contact": "duty@cert.invalid",
    }
    return Source(**values | changes)


def staff(database: Database) -> None:
    """The demo's officers, and one whose only role is judicial."""
    import_directory(database, directory(12), by="test")
    with database.write() as connection:
        connection.execute(
            insert(officer).values(
                id=PROSECUTOR, name="P. Judge", organisation="Eurojust", roles=[Role.JUDICIAL]
            )
        )


def registered(
    database: Database, *sources: Source, letter: SourceReliability | None = None
) -> None:
    """Register them, and let an analyst judge each."""
    for each in sources:
        register(database, each, by=MANAGER)
        if letter:
            set_letter(database, each.id, letter, reason="known for years", by=ANALYST)


def sent(
    what: ReportContent | bytes, by: str, *, offset: int = 0, group: SourceGroup = SourceGroup.CSIRT
) -> RawRecord:
    """A record as it comes off the topic that is the source's own."""
    plain = record(what, offset=offset, group=group)
    return replace(plain, topic=f"{plain.topic}.{by}", principal=by)


def settle(store: Store, *records: RawRecord) -> Settled:
    standings, preparer = store.standings(), store.preparer(LIMITS)
    return store.settle(
        [(each, preparer.read(each, standings.of(each.principal, each.group))) for each in records],
        source="test",
    )


def grades(database: Database) -> dict[str, tuple[str, str, str]]:
    """Source id of a report to its grade in force, and kind and reason of its first evaluation."""
    with database.read() as connection:
        rows = {row.seq: row for row in connection.execute(select(report))}
        return {
            row.source_id: (row.source_grade + row.information_grade, first.kind, first.grounds)
            for seq, first in ORIGINALS.read(connection, rows)
            if (row := rows[seq])
        }


def events(database: Database, event: str) -> list[dict[str, Any]]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [row for row in audit.export(connection) if row["event"] == event]


def refusal(caught: pytest.ExceptionInfo[Refused]) -> str:
    return caught.value.reason
