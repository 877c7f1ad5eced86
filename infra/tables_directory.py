"""Changes of the directory that wait for a second person. Source: R25; seed 000 (spoofing)."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table, Text

from infra.tables import Utc, metadata

directory_proposal = Table(
    "directory_proposal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Utc, nullable=False),
    Column("by", String(100), nullable=False),
    Column("base", Integer, nullable=False),  # the version in force that it was made against
    Column("sha256", String(64), nullable=False),
    Column("document", JSON, nullable=False),  # notifications.directory_document.DirectoryDocument
    # What follows is set once, by the second person.
    Column("state", String(10), nullable=False),  # open, confirmed, declined
    Column("settled_by", String(100)),
    Column("settled_at", Utc),
    Column("words", Text, nullable=False),  # how it was checked, or why it was declined
    Column("version", Integer),  # that it became
    sqlite_autoincrement=True,
)
