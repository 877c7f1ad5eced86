"""Alembic's entry: runs on the connection that ``Database.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from infra import tables_intake  # noqa: F401  its tables belong to the schema
from infra.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
