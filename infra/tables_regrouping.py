"""Tables of what officers do to clusters, and of the clusters that are kept apart since.

A *side* is an incident that an officer set apart from another. Its keys of that moment are kept, and
reports that come later go by them. Reports that only share newer keys with sides gather in
*followers*: groups that stand with one side as a whole. See ``docs/decisions/009``.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table, Text

from infra.tables import Utc, metadata

regrouping = Table(
    "regrouping",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(10), nullable=False),  # merge, split, detach, attach
    Column("officer", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", String(40), nullable=False, index=True),  # incident that the reports left
    Column("target", String(40), nullable=False, index=True),  # incident that they came to
    Column("source_status", String(20), nullable=False),  # right after the act
    Column("target_status", String(20), nullable=False),
    Column("last_link", Integer, nullable=False),  # newest row of ``link`` before the act
    Column("last_report", Integer, nullable=False),  # newest report before the act
    # Filled in when the act is undone.
    Column("undone_by", String(100)),
    Column("undone_at", Utc),
    Column("undone_reason", Text),
    sqlite_autoincrement=True,
)

regrouping_move = Table(
    "regrouping_move",
    metadata,
    Column("act", Integer, primary_key=True),
    Column("report_id", String(40), primary_key=True, index=True),
)

apart = Table(
    "apart",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("other", String(40), primary_key=True),  # every pair stands here both ways round
    Column("made_by", Integer, primary_key=True),  # act
    Column("ended_by", Integer),  # act; none while it stands
)

side_key = Table(
    "side_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", BigInteger, nullable=False, index=True),
    Column("earliest", BigInteger, nullable=False),  # as in ``link_key``
    Column("latest", BigInteger, nullable=False),
    Column("incident_id", String(40), nullable=False, index=True),
)

follower = Table(
    "follower",
    metadata,
    Column("id", String(40), primary_key=True),  # as in ``link_key``
    Column("incident_id", String(40), nullable=False, index=True),  # side it stands with; moves
)

follower_report = Table(
    "follower_report",
    metadata,
    Column("report_id", String(40), primary_key=True),
    Column("follower_id", String(40), nullable=False, index=True),
)

follower_share = Table(
    "follower_share",
    metadata,
    Column("follower_id", String(40), primary_key=True),
    Column("incident_id", String(40), primary_key=True, index=True),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("report_id", String(40), nullable=False),  # through which it was first seen
)

triage_view = Table(
    "triage_view",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("mark", String(120), nullable=False),  # of what it was made from
    Column("view", JSON, nullable=False),
)
"""What was worked out for the triage list; may be deleted at any time."""
