"""The table of what providers answered to the centre's proposals. Rows are only ever added.

Source: Regulation (EU) 2016/794 Art. 29(3); domain 2.1 (E2, E3).
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from infra.tables import Utc, metadata

provider_answer = Table(
    "provider_answer",
    metadata,
    Column("proposal", Integer, primary_key=True, autoincrement=False),  # id of its evaluation
    Column("report_id", String(40), nullable=False, index=True),
    Column("answer", String(10), nullable=False),  # agreed, refused
    Column("person", Text, nullable=False),  # who answered for the provider
    Column("way", String(20), nullable=False),  # over which channel
    Column("answered_at", Utc, nullable=False),  # when the provider said so
    Column("by", String(100), nullable=False),  # the officer who put it down
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
)
