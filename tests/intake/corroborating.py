"""Reports for the tests of corroboration, and what became of their grades."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import select

from infra.database import Database
from infra.tables import report
from intake.corroboration import Corroborator
from intake.facts import grade_history
from protocol.parties import SourceGroup
from protocol.report import Relation, ReportContent, Reporter
from tests.intake.samples import (
    content,
    profile,
    read,
    record,
    store_of,
    telling,
)

OFFSETS = itertools.count()
RULES = profile().correlation


def said(name: str, *shorts: str, by: str = "", **changes: Any) -> ReportContent:
    """A report in words of its own, by a reporter of that name."""
    return content(name, *shorts, reporter=Reporter(name=by or f"Reporter {name}"), **changes)


def withdrawal(of: str, by: str) -> ReportContent:
    gone = (Relation(kind="withdraws", id=of),)
    return said(f"not {of}", by=by, relations=gone)


def settle(
    database: Database,
    *bodies: bytes | ReportContent,
    principals: Sequence[str] = (),
    group: SourceGroup = SourceGroup.CSIRT,
) -> None:
    for body, principal in itertools.zip_longest(bodies, principals, fillvalue="anonymous"):
        one = record(body, offset=next(OFFSETS), group=group)  # type: ignore[arg-type]
        store_of(database).settle(read(replace(one, principal=str(principal))), source="test")


def corroborator(database: Database, **changes: Any) -> Corroborator:
    return Corroborator(database, RULES, telling, **changes)


def finish(database: Database, **changes: Any) -> int:
    """Let the pass work until it finds nothing more to do; return how often it did."""
    one = corroborator(database, **changes)
    return sum(1 for _ in iter(one.step, False))


def digits(database: Database) -> dict[str, str]:
    """The grade in force by the sender's id."""
    with database.read() as connection:
        rows = connection.execute(
            select(report.c.source_id, report.c.source_grade, report.c.information_grade)
        )
        return {name: f"{source}{digit}" for name, source, digit in rows}


def history(database: Database, name: str) -> list[tuple[str, str, list[str] | None]]:
    """Kind, grade and corroborating reports (by the sender's id) of each evaluation."""
    with database.read() as connection:
        names = {
            row.id: row.source_id
            for row in connection.execute(select(report.c.id, report.c.source_id))
        }
        (mine,) = [report_id for report_id, source_id in names.items() if source_id == name]
        grades = grade_history(connection, mine)
    return [
        (
            each["kind"],
            each["grade"],
            sorted(names[other] for other in each["corroborated_by"]) or None,
        )
        for each in grades
    ]
