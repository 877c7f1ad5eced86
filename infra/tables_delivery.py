"""Mails as they are sent: their bytes, how each destination stands, and what its servers sent back."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from infra.tables import Utc, metadata

destination = Table(
    "destination",
    metadata,
    Column("domain", String(190), primary_key=True),
    # All of these change as mails go there well or badly.
    Column("state", String(12), nullable=False),
    Column("concurrency", Integer, nullable=False),  # mails under way at a time
    Column("failures", Integer, nullable=False),  # in a row
    Column("slowed_at", Utc),  # the last time that less was let through than before
    Column("next_at", Utc),  # nothing goes there before
    Column("reason", Text, nullable=False),
)

mail_bytes = Table(
    # Apart from ``notification``, whose row is written several times while its mail goes its way.
    "mail_bytes",
    metadata,
    Column("notification_id", String(32), primary_key=True),
    Column("raw", LargeBinary, nullable=False),
)

delivery_notice = Table(
    "delivery_notice",
    metadata,
    Column(
        "sha256", String(64), primary_key=True
    ),  # of the notice's bytes, as far as they are read
    Column("notification_id", String(32), nullable=False),
    Column("kind", String(12), nullable=False),  # bounced, delayed, delivered, other
    Column("status", String(20), nullable=False),  # RFC 3463, or empty
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_delivery_notice_notification", "notification_id"),
)
