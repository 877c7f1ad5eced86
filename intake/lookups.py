"""Look-ups of many stored reports at once, in queries that every database takes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, or_, select

from infra.bulk import Bulk
from infra.tables import report


def known_ids(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the reports that are stored already."""
    asked = Bulk(connection).among(report.c.id, ids)
    return set(connection.scalars(select(report.c.id).where(asked)))


def incidents_of_named(connection: Connection, names: Collection[str]) -> set[str]:
    """The incidents of all reports that have one of these ids or source ids."""
    bulk = Bulk(connection)
    asked = or_(bulk.among(report.c.id, names), bulk.among(report.c.source_id, names))
    return set(connection.scalars(select(report.c.incident_id).where(asked).distinct()))
