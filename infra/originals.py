"""Records and reports as they came, which never change: bodies, documents, first grade, first place.

What may change, or is searched for, is in the table ``report``. Source: docs/decisions/011.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, select

from infra.blocks import Blocks
from infra.tables import report
from infra.tables_blocks import body_block, report_block


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What came off Kafka."""

    media_type: str
    content: bytes


class Original(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A report when it was stored. Texts of JSON are JSON."""

    document: str
    """An ``IncidentReport``."""
    kind: str
    """Who gave its first grade: ``provider`` or ``intake``; the others say more of that grade."""
    scheme: str
    original: str
    source_grade: str
    information_grade: str
    by: str
    grounds: str
    incident_id: str
    """Where correlation put it first."""
    reason: str
    """Why, see ``intake.correlation.Placement.reason``."""


BODIES = Blocks(body_block, Body)
"""By ``body_id``."""
ORIGINALS = Blocks(report_block, Original)
"""By ``report.seq``."""
stored_at = (
    select(report_block.c.at)
    .where(report_block.c.last >= report.c.seq)
    .order_by(report_block.c.last)
    .limit(1)
    .correlate(report)
    .scalar_subquery()
)
"""When a report was stored, in queries of the table ``report``."""


def documents(connection: Connection, numbers: Iterable[int]) -> Iterator[tuple[int, Any]]:
    """Running number and document of reports, in the order of their arrival."""
    for number, original in ORIGINALS.read(connection, numbers):
        yield number, json.loads(original.document)


def documents_of(connection: Connection, which: ColumnElement[bool]) -> Iterator[Any]:
    """The documents of the reports that ``which`` picks, in the order of their arrival."""
    numbers = connection.scalars(select(report.c.seq).where(which)).all()
    return (document for _, document in documents(connection, numbers))
