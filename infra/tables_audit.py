"""Tables of the audit trail: a chain of rows, each with the hash of the one before.

Rows are only ever added; the head moves with them. See ``infra.audit``.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from infra.tables import metadata

audit_row = Table(
    "audit_row",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("previous", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("n", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
