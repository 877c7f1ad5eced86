"""Templates of operators: what was proposed and agreed, what a campaign uses, what could not be used."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from infra.tables import Utc, metadata

notice_template = Table(
    "notice_template",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Utc, nullable=False),
    Column("by", String(100), nullable=False),
    Column("organisation", String(60), nullable=False),  # empty: everybody without one of their own
    Column("kind", String(20), nullable=False),
    Column("language", String(2), nullable=False),
    Column("act", String(10), nullable=False),  # install, remove
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("sha256", String(64), nullable=False),  # of both
    Column(
        "base", Integer, nullable=False
    ),  # the version in force in its place when it was proposed
    # What follows is set once, by the second person.
    Column("state", String(10), nullable=False),  # open, confirmed, declined
    Column("settled_by", String(100)),
    Column("settled_at", Utc),
    Column("version", Integer, unique=True),  # counts what was confirmed, over all places
    sqlite_autoincrement=True,
)

campaign_templates = Table(
    "campaign_templates",
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("version", Integer, nullable=False),  # the newest when its recipients were frozen
)

template_unfit = Table(
    "template_unfit",
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("template", Integer, ForeignKey(notice_template.c.id), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
)
