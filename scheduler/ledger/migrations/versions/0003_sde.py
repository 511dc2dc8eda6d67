"""The served SDE API: connectors, connections (each is a job), and what an SDE job has beside its run.

`params` are encrypted. Frozen as it was written: later schemas are migrations of their own.
"""

import sqlalchemy as sa
from alembic import op

from scheduler.ledger.schema import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _connectors()
    _connections()
    _jobs()


def _connectors() -> None:
    op.create_table(
        "sde_connectors",
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("inaccessible", sa.Boolean(), nullable=False),
        sa.Column("params", sa.String(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("modified_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("connector_id", name=op.f("pk_sde_connectors")),
        sqlite_autoincrement=True,
    )


def _connections() -> None:
    op.create_table(
        "sde_connections",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=True),
        sa.Column("project", sa.Integer(), nullable=True),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("frequency", sa.String(length=16), nullable=False),
        sa.Column("inaccessible", sa.Boolean(), nullable=False),
        sa.Column("debug_mode", sa.Boolean(), nullable=False),
        sa.Column("params", sa.String(), nullable=True),
        sa.Column("upload", sa.String(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("modified_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_sde_connections_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["sde_connectors.connector_id"],
            name=op.f("fk_sde_connections_connector_id_sde_connectors"),
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_sde_connections")),
        sa.UniqueConstraint("job_id", name=op.f("uq_sde_connections_job_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sde_connections_kind_project"), "sde_connections", ["kind", "project"], unique=False)
    op.create_index(op.f("ix_sde_connections_connector_id"), "sde_connections", ["connector_id"], unique=False)


def _jobs() -> None:
    op.create_table(
        "sde_jobs",
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("user", sa.String(), nullable=True),
        sa.Column("triggered_by", sa.String(), nullable=True),
        sa.Column("attachment", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["run_no"], ["runs.run_no"], name=op.f("fk_sde_jobs_run_no_runs")),
        sa.PrimaryKeyConstraint("run_no", name=op.f("pk_sde_jobs")),
    )
