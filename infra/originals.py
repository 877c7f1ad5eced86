"""Records and reports as they came, which never change: bodies, documents, first grade, first place.

What may change, or is searched for, is in the table ``report``. Source: docs/decisions/011.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from infra.blocks import Blocks
from infra.stored import Body, FirstPlace, Original
from infra.tables import report
from infra.tables_blocks import body_block, place_block, report_block

BODIES = Blocks(body_block, Body)
"""By ``body_id``."""
ORIGINALS = Blocks(report_block, Original)
"""By ``report.seq``."""
FIRST_PLACES = Blocks(place_block, FirstPlace)
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
