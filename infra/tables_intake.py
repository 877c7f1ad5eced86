"""Tables of what holds intake up: partitions that are paused, and what was read of a quota.

Source: reliability 3, "Limit like arroyo's DlqLimit"; F-K10.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table

from infra.tables import Utc, metadata

intake_hold = Table(
    "intake_hold",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("topic", String(249), nullable=False, index=True),
    Column("partition", Integer),  # null: the whole topic
    Column("reason", String(20), nullable=False),  # refusals, quota
    Column("since", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    Column("detail", JSON, nullable=False),  # the numbers that it rests on
    Column("ended_at", Utc),  # set once
    Column("ended_by", String(100)),  # set once: time, or an officer
    sqlite_autoincrement=True,
)

intake_usage = Table(
    "intake_usage",
    metadata,
    Column("topic", String(249), primary_key=True),
    Column("hour", Utc, primary_key=True),
    Column("records", Integer, nullable=False),  # counts up; an officer's word sets it to 0
)
