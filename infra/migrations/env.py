"""Alembic's entry: runs on the connection that ``Database.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from infra import tables_corroboration  # noqa: F401 (adds its tables)
from infra.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
