"""Table of what officers decided: a row for each command that counted.

Rows are only ever added, once for each command however often it arrives; see ``infra.casefile``.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, String, Table

from infra.tables import Utc, metadata

decision = Table(
    "decision",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("command_id", String(60), primary_key=True),
    Column("command", String(30), nullable=False),
    Column("officer", String(100), nullable=False),
    Column("organisation", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("detail", JSON, nullable=False),
)
