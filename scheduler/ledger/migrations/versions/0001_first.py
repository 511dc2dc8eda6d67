"""The first schema: jobs and their versions, runs, attempts, assets, results, the journal.

Frozen as it was written: later schemas are migrations of their own.
"""

import sqlalchemy as sa
from alembic import op

from scheduler.ledger.schema import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asset_data",
        sa.Column("asset_type", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("collected_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("asset_type", "asset_id", name=op.f("pk_asset_data")),
    )
    op.create_table(
        "health",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("alive_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_health")),
    )
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("guid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_folded", sa.String(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("anchor", sa.String(), nullable=True),
        sa.Column("watermark", Instant(), nullable=False),
        sa.Column("known_since", Instant(), nullable=False),
        sa.Column("schedule_since", Instant(), nullable=False),
        sa.Column("armed", sa.Boolean(), nullable=False),
        sa.Column("resumed_at", Instant(), nullable=True),
        sa.Column("paused_at", Instant(), nullable=True),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("paused_note", sa.String(), nullable=True),
        sa.Column("paused_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("guid", name=op.f("uq_jobs_guid")),
        sa.UniqueConstraint("name_folded", name=op.f("uq_jobs_name_folded")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "job_versions",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("schedule", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("from_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_job_versions_job_id_jobs")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_job_versions")),
    )
    op.create_index(op.f("ix_job_versions_job_id"), "job_versions", ["job_id"], unique=False)
    op.create_table(
        "runs",
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("fire_time", Instant(), nullable=False),
        sa.Column("civil", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("occurrences", sa.Integer(), server_default="1", nullable=False),
        sa.Column("last_fire_time", Instant(), nullable=True),
        sa.Column("parent_run", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cycle", sa.JSON(), nullable=False),
        sa.Column("has_assets", sa.Boolean(), nullable=False),
        sa.Column("window_end", Instant(), nullable=True),
        sa.Column("rerun_at", Instant(), nullable=True),
        sa.Column("retry_at", Instant(), nullable=True),
        sa.Column("wake_at", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("interruptions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stop_requested_at", Instant(), nullable=True),
        sa.Column("stop_reason", sa.String(), nullable=True),
        sa.Column("stop_note", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('cancelled', 'expired', 'failed', 'lost', 'missed', 'skipped', 'succeeded')) = (ended_at IS NOT NULL)",
            name=op.f("ck_runs_ended"),
        ),
        sa.CheckConstraint("kind IN ('fire', 'run_now', 'manual', 'posted')", name=op.f("ck_runs_kind")),
        sa.CheckConstraint(
            "state IN ('cancelled', 'expired', 'failed', 'incomplete', 'lost', 'missed', 'pending', 'retrying', 'running', 'skipped', 'succeeded')",
            name=op.f("ck_runs_state"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_runs_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["job_versions.version_id"], name=op.f("fk_runs_version_id_job_versions")
        ),
        sa.PrimaryKeyConstraint("run_no", name=op.f("pk_runs")),
        sa.UniqueConstraint("job_id", "kind", "fire_time", name=op.f("uq_runs_job_id_kind_fire_time")),
        sa.UniqueConstraint("run_id", name=op.f("uq_runs_run_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_runs_active",
        "runs",
        ["job_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('incomplete', 'pending', 'retrying', 'running')"),
    )
    op.create_index(op.f("ix_runs_fire_time"), "runs", ["fire_time"], unique=False)
    op.create_index(
        "ix_runs_wake_at", "runs", ["wake_at"], unique=False, sqlite_where=sa.text("wake_at IS NOT NULL")
    )
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=8), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("lease_until", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "cause IN ('fire', 'retry', 'rerun', 'manual', 'run_now')", name=op.f("ck_attempts_cause")
        ),
        sa.CheckConstraint(
            "ended IN ('completed', 'failed', 'stopped', 'interrupted', 'lost')", name=op.f("ck_attempts_ended")
        ),
        sa.CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name=op.f("ck_attempts_ended_at")),
        sa.ForeignKeyConstraint(["run_no"], ["runs.run_no"], name=op.f("fk_attempts_run_no_runs")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["job_versions.version_id"], name=op.f("fk_attempts_version_id_job_versions")
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("run_no", "number", name=op.f("uq_attempts_run_no_number")),
        sa.UniqueConstraint("token", name=op.f("uq_attempts_token")),
    )
    op.create_index(
        "ix_attempts_open", "attempts", ["run_no"], unique=False, sqlite_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "check_results",
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("asset_type", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("check_name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["run_no"], ["runs.run_no"], name=op.f("fk_check_results_run_no_runs")),
        sa.PrimaryKeyConstraint(
            "run_no", "asset_type", "asset_id", "standard", "check_name", name=op.f("pk_check_results")
        ),
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("run_no", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("from_state", sa.String(length=12), nullable=True),
        sa.Column("to_state", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_by", sa.String(length=8), nullable=False),
        sa.Column("actor_from", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("actor_by IN ('clock', 'cli', 'api', 'signal')", name=op.f("ck_events_actor_by")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_events_job_id_jobs")),
        sa.ForeignKeyConstraint(["run_no"], ["runs.run_no"], name=op.f("fk_events_run_no_runs")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_job_id"), "events", ["job_id"], unique=False)
    op.create_index(op.f("ix_events_run_no"), "events", ["run_no"], unique=False)
    op.create_table(
        "remote_ids",
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["run_no"], ["runs.run_no"], name=op.f("fk_remote_ids_run_no_runs")),
        sa.PrimaryKeyConstraint("run_no", "name", name=op.f("pk_remote_ids")),
    )
    op.create_table(
        "run_assets",
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("asset_type", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("starts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'fresh', 'failed', 'timed_out', 'unreachable')",
            name=op.f("ck_run_assets_state"),
        ),
        sa.ForeignKeyConstraint(["run_no"], ["runs.run_no"], name=op.f("fk_run_assets_run_no_runs")),
        sa.PrimaryKeyConstraint("run_no", "asset_type", "asset_id", name=op.f("pk_run_assets")),
    )
    op.create_index(
        "ix_run_assets_asset", "run_assets", ["asset_type", "asset_id", "state", "run_no"], unique=False
    )
