"""Tables of the registry of sources. Rows that state what happened are only ever added.

Source: domain 2.1, 6.2; reliability F-K10.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table, Text

from infra.tables import Utc, metadata

source = Table(
    "source",
    metadata,
    Column("id", String(40), primary_key=True),  # also its Kafka principal
    # What follows changes with an import; the audit trail has each change.
    Column("name", Text, nullable=False),
    Column("group", String(20), nullable=False),
    Column("also_groups", JSON, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("country", String(2)),
    Column("first_hand", String(10), nullable=False),  # always, never, as-stated
    Column("quota", Integer),  # records an hour
    Column("tlp", String(20)),
    Column("registered_at", Utc, nullable=False),
    Column("retired_at", Utc),
)

source_standing = Table(
    "source_standing",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("source_id", String(40), nullable=False, index=True),
    Column("before", String(1), nullable=False),
    Column("letter", String(1), nullable=False),  # the newest row's is in force
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)

source_version = Table(
    "source_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("version", Integer, nullable=False),  # counts every change of the registry
)

source_hour = Table(
    "source_hour",
    metadata,
    Column("principal", String(200), primary_key=True),
    Column("hour", Utc, primary_key=True),  # when it began
    Column("records", Integer, nullable=False),  # count up
    Column("refused", Integer, nullable=False),
)

report_outcome = Table(
    "report_outcome",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("report_id", String(40), nullable=False, index=True),
    Column("outcome", String(10), nullable=False),  # the newest row of a report counts
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)
