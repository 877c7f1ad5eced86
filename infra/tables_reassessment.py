"""Tables of reassessment: what each assessment had before it, and the tasks that it gave people."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from infra.tables import Utc, metadata

assessment_basis = Table(
    "assessment_basis",
    metadata,
    # The newest rows that an assessment read; how its reports stood follows from them.
    Column("incident_id", String(40), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("link_id", Integer, nullable=False),
    Column("evaluation_id", Integer, nullable=False),
    Column("report_seq", Integer, nullable=False),
    Column("findings", Integer, nullable=False),  # version; 0 for none
)

task = Table(
    "task",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),  # verification, outlook
    Column("subject", String(120), nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    # From here on the columns change; the audit trail has each change.
    Column("matter", JSON, nullable=False),  # what is to be done, with ids of reports
    Column("owner", String(100)),
    Column("overdue_at", Utc),  # set once
    Column("closed_at", Utc),
    Column("closed_by", String(100)),
    Column("outcome", String(20)),
    Column("reason", Text),
    Index("ix_task_open", "incident_id", "closed_at"),
)
