"""Look-ups of many stored reports at once, in queries that every database takes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from infra.tables import report
from intake.correlation import CHUNK


def known_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of the reports that are stored already."""
    known: set[str] = set()
    for start in range(0, len(ids), CHUNK):
        known |= set(
            connection.scalars(
                select(report.c.id).where(report.c.id.in_(ids[start : start + CHUNK]))
            )
        )
    return known


def sequence_numbers(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The running number of each stored report."""
    numbers: dict[str, int] = {}
    for start in range(0, len(ids), CHUNK):
        rows = connection.execute(
            select(report.c.id, report.c.seq).where(report.c.id.in_(ids[start : start + CHUNK]))
        )
        numbers |= {row.id: row.seq for row in rows}
    return numbers


def incidents_of_named(connection: Connection, names: Sequence[str]) -> set[str]:
    """The incidents of all reports that have one of these ids or source ids."""
    found: set[str] = set()
    for start in range(0, len(names), CHUNK):
        some = names[start : start + CHUNK]
        found |= set(
            connection.scalars(
                select(report.c.incident_id).where(
                    or_(report.c.id.in_(some), report.c.source_id.in_(some))
                )
            )
        )
    return found
