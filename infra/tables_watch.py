"""What the self-audit found, whom it told, and how its last round ended."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from infra.tables import Utc, metadata

finding = Table(
    "finding",
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("problem", String(30), primary_key=True),
    Column("subject", String(60), primary_key=True),  # recipient, mail, or what is counted
    Column("found_at", Utc, nullable=False),
    Column("message", Text, nullable=False),
    Column("notice", String(80), nullable=False),  # set once: the campaign that told a person
)

watch_round = Table(
    "watch_round",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1; all of the rest is of the last round
    Column("at", Utc, nullable=False),
    Column("campaigns", Integer, nullable=False),
    Column("findings", Integer, nullable=False),
    Column("signalled_at", Utc),  # moves up
    Column("signal_error", Text, nullable=False),
)
