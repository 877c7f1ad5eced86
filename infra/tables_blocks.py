"""Tables of what never changes once it is stored and is seldom read: many items to a row, compressed.

Items are numbered one after the other; a row holds those up to its own number. Written and read by
``infra.blocks``. Source: docs/decisions/011.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table

from infra.tables import Utc, metadata

body_block = Table(
    "body_block",  # what came off Kafka; numbers are ``body_id``
    metadata,
    Column("last", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

place_block = Table(
    "place_block",  # where reports were put first, and why; numbers are ``report.seq``
    metadata,
    Column("last", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

report_block = Table(
    "report_block",  # reports as they were when they were stored; numbers are ``report.seq``
    metadata,
    Column("last", Integer, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),  # when that was
    Column("data", LargeBinary, nullable=False),
)
