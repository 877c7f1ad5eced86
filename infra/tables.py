"""The database's tables: the truth for rows. Schema changes go through ``infra/migrations``.

Rows that state what happened are only ever added; the few columns that change are named in comments.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Utc(TypeDecorator[datetime]):
    """Aware UTC datetimes on every database; SQLite keeps them without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 (SQLAlchemy's signature)
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

report = Table(
    "report",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", String(40), nullable=False, unique=True),
    Column("group", String(20), nullable=False),
    Column("principal", String(200), nullable=False),
    Column("source_id", String(200), nullable=False, index=True),
    Column("format", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("body_id", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False, default=0),  # counts up
    Column("last_seen_at", Utc),  # of the newest duplicate; moves up
    Column("incident_id", String(40), nullable=False, index=True),  # follows merges and ends
    Column("evidence", JSON, nullable=False),  # classification.evidence.Evidence, without its grade
    Column("source_grade", String(1), nullable=False),  # grade in force
    Column("information_grade", String(1), nullable=False),
    Column("provider_graded", Boolean, nullable=False),  # its first grade is the provider's own
    Column("indicators", LargeBinary, nullable=False),  # their keys, see ``infra.packing``
)

link_key = Table(
    "link_key",
    metadata,
    # A row is a chain of reports in time; times are microseconds since 1970.
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("earliest", BigInteger, primary_key=True, autoincrement=False),
    Column("incident_id", String(40), primary_key=True),  # or the one that absorbed it since
    Column("latest", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

link = Table(
    "link",  # where reports went after their first incident, which is in ``infra.originals``
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("report_id", String(40), nullable=False, index=True),
    Column("incident_id", String(40), nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", String(100), nullable=False),
    Column("reason", JSON, nullable=False),
    sqlite_autoincrement=True,
)

incident = Table(
    "incident",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("created_at", Utc, nullable=False),
    Column("status", String(20), nullable=False),  # triage, detected, ended, merged
    Column("merged_into", String(40)),
    Column("stage", String(20)),
    Column("exercise", Boolean, nullable=False),
    Column("profile", String(60), nullable=False),
    Column("claimed", Text, nullable=False, default="{}"),  # classification.claimed as JSON; triage
    Column("detected_at", Utc),  # set once
)

retraction = Table(
    "retraction",
    metadata,
    Column("report_id", String(40), primary_key=True),  # the report that takes another back
    Column("kind", String(20), primary_key=True),  # withdraws, replaces
    Column("named", String(200), primary_key=True, index=True),  # id or source id of the other
    Column("principal", String(200)),  # who took it back; none where the broker asks nobody
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("topic", String(200), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("group", String(20), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body_id", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("reason", String(60), nullable=False),
    Column("message", Text, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("status", String(20), nullable=False),  # open, replayed, discarded
    UniqueConstraint("topic", "partition", "offset"),
    sqlite_autoincrement=True,
)

consumer_offset = Table(
    "consumer_offset",
    metadata,
    Column("topic", String(200), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next", BigInteger, nullable=False),  # moves up
)

relay = Table(
    "relay",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),  # incident, campaign
    Column("target", String(120), nullable=False),
    Column("done", Boolean, nullable=False, default=False, index=True),
    sqlite_autoincrement=True,
)

evaluation = Table(
    "evaluation",  # grades after the first, which is in ``infra.originals``
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("report_id", String(40), nullable=False, index=True),
    Column("kind", String(20), nullable=False),  # centre, proposal, corroboration
    Column("scheme", String(20), nullable=False),
    Column("original", String(40), nullable=False),
    Column("source_grade", String(1), nullable=False),
    Column("information_grade", String(1), nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
    Column("corroborated_by", JSON(none_as_null=True)),  # ids of reports, with digit 3
    sqlite_autoincrement=True,
)

artefact = Table(
    "artefact",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("kind", String(30), primary_key=True),  # assessment, findings, centre, ewn, plan, ...
    Column("version", Integer, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("by", String(100), nullable=False),
    Column("document", JSON, nullable=False),
)

stage_log = Table(
    "stage_log",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("stage", String(20), nullable=False),
    Column("entered", Utc, nullable=False),
    Column("left", Utc),
    Column("overdue_at", Utc),
)

officer = Table(
    "officer",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("name", Text, nullable=False),
    Column("organisation", String(100), nullable=False),
    Column("roles", JSON, nullable=False),
)

directory_version = Table(
    "directory_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("imported_at", Utc, nullable=False),
    Column("by", String(100), nullable=False),
    Column("sha256", String(64), nullable=False),
)

recipient = Table(
    "recipient",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("id", String(60), primary_key=True),
    Column("class", String(30), nullable=False),
    Column("document", JSON, nullable=False),  # notifications.directory.Recipient
)

permission = Table(
    "permission",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("kind", String(30), nullable=False),
    Column("provider", String(200), nullable=False),
    Column("recipients", JSON, nullable=False),  # recipient ids or class names
    Column("evidence", Text, nullable=False),
    Column("by", String(100), nullable=False),
    Column("given_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    sqlite_autoincrement=True,
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("directory_version", Integer, nullable=False),
    Column("content", JSON, nullable=False),
    Column("omissions", JSON, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
)

notification = Table(
    "notification",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("campaign_id", String(80), nullable=False),
    Column("cursor", Integer, nullable=False),  # position in the frozen list, from 0
    Column("recipient_id", String(60), nullable=False),
    Column("contact", Integer, nullable=False),  # 0 first, 1 second
    Column("revision", Integer, nullable=False),  # 0 the notice, 1 and more its reminders
    Column("variant", String(20), nullable=False),
    Column("message_id", String(120), nullable=False, unique=True),
    # From here on the columns change as the mail goes its way (reliability 2.2).
    Column("state", String(12), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", Utc),
    Column("data_started", Boolean, nullable=False, default=False),
    Column("due_at", Utc),
    Column("made_for", String(64), nullable=False, default=""),  # address and keys of its bytes
    Column("destination", String(190), nullable=False, default=""),  # domain; "" not yet known
    Column("reply", Text, nullable=False, default=""),
    Column("accepted_at", Utc),
    UniqueConstraint("campaign_id", "recipient_id", "contact", "revision"),
    Index("ix_notification_state", "campaign_id", "state", "cursor"),
)

acknowledgement = Table(
    "acknowledgement",
    metadata,
    Column("campaign_id", String(80), primary_key=True),
    Column("recipient_id", String(60), primary_key=True),
    Column("notification_id", String(32), nullable=False),
    Column("contact", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column("repeats", Integer, nullable=False, default=0),  # counts up
)
