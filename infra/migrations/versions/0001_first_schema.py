"""First schema."""

from __future__ import annotations

from alembic import op

from infra.audit import GENESIS
from infra.tables import metadata
from infra.tables_audit import audit_head

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    op.execute(audit_head.insert().values(id=1, n=0, hash=GENESIS))
