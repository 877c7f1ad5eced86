"""What bridges from other systems have sent so far; a row is written after Kafka has what it speaks of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table

from infra.tables import Utc, metadata

bridge_file = Table(
    "bridge_file",
    metadata,
    Column("bridge", String(64), primary_key=True),  # SHA-256 of source and destination
    Column("device", String(20), nullable=False),  # 64 bits without a sign, as inode: as text
    Column("inode", String(20), nullable=False),
    Column("offset", BigInteger, nullable=False),  # of the first byte that is not sent
    Column("head", String(64), nullable=False),  # SHA-256 of the file's first bytes
    Column("head_size", Integer, nullable=False),  # how many those are
    Column("at", Utc, nullable=False),
)

bridge_event = Table(
    "bridge_event",
    metadata,
    Column("bridge", String(64), primary_key=True),
    Column("event", String(36), primary_key=True),  # UUID
    Column("timestamp", BigInteger, nullable=False),  # of the version sent, epoch seconds
    Column("sha256", String(64), nullable=False),  # of what was sent
    Column("at", Utc, nullable=False),
)
