"""Alembic's entry: runs on the connection that ``Database.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from infra import (  # noqa: F401  their tables belong to the schema
    tables_acknowledgement,
    tables_audit,
    tables_blocks,
    tables_bridges,
    tables_corroboration,
    tables_decisions,
    tables_delivery,
    tables_directory,
    tables_grading,
    tables_intake,
    tables_permissions,
    tables_reassessment,
    tables_regrouping,
    tables_sources,
    tables_templates,
    tables_watch,
)
from infra.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
