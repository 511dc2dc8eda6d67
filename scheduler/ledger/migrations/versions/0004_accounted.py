"""Every occurrence accounted for: where a run was moved from, and what retention looks for by age.

Frozen as it was written: later schemas are migrations of their own.
"""

import sqlalchemy as sa
from alembic import op

from scheduler.ledger.schema import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("moved_from", Instant(), nullable=True))
    op.create_index("ix_runs_ended_at", "runs", ["ended_at"], sqlite_where=sa.text("ended_at IS NOT NULL"))
    op.create_index(
        "ix_deliveries_ended_at", "deliveries", ["ended_at"], sqlite_where=sa.text("ended_at IS NOT NULL")
    )
    op.create_index("ix_events_at", "events", ["at"], sqlite_where=sa.text("run_no IS NULL"))
