"""Tables of what stands beside permissions: scope, revocation, and overrides for a threat to life.

Rows are only ever added. Source: domain 4.4; Regulation (EU) 2016/794 Art. 22(2).
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table, Text

from infra.tables import Utc, metadata

permission_scope = Table(
    "permission_scope",  # of a permission that is limited; none for one that is not
    metadata,
    Column("permission_id", Integer, primary_key=True, autoincrement=False),
    Column("items", JSON, nullable=False),  # names of components, ids of reports; [] for all
    Column("purposes", JSON, nullable=False),  # notifications.products.Purpose; [] for all
)

permission_revocation = Table(
    "permission_revocation",
    metadata,
    Column("permission_id", Integer, primary_key=True, autoincrement=False),
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
)

life_override = Table(
    "life_override",  # proposed by one officer
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("draft", String(60), nullable=False),  # kind/version in the case file
    Column("product", String(64), nullable=False),  # digest
    Column("recipients", JSON, nullable=False),  # ids
    Column("providers", JSON, nullable=False),  # whose restrictions it sets aside
    Column("reason", Text, nullable=False),
    Column("lasts_s", Integer, nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    sqlite_autoincrement=True,
)

life_override_approval = Table(
    "life_override_approval",  # by another; from then on it is in force
    metadata,
    Column("override_id", Integer, primary_key=True, autoincrement=False),
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
)

life_override_end = Table(
    "life_override_end",  # before its time
    metadata,
    Column("override_id", Integer, primary_key=True, autoincrement=False),
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
)
