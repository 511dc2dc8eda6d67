"""The ledger's tables, as the program uses them. The migrations build them; a test holds the two together.

Instants are aware UTC in the program and zone-less UTC text in SQLite (`Instant`).
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from scheduler.lifecycle import ACTIVE, FINAL, State


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC instant; naive values are refused. SQLite has no zones: it is stored as UTC without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware to UTC; without its zone for SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the ledger takes aware instants only, not {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back to aware UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _quoted(states: frozenset[State]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


IS_ACTIVE = sa.text(f"runs.state IN ({_quoted(ACTIVE)})")
"""The condition of the index over active runs, as SQLite recognises it: with bound values it reads all runs."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.Integer, primary_key=True),
    sa.Column("guid", sa.String(36), nullable=False, unique=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("name_folded", sa.String, nullable=False, unique=True),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("version_id", sa.Integer, nullable=True),
    sa.Column("anchor", sa.String, nullable=True),
    sa.Column("watermark", Instant, nullable=False),
    sa.Column("known_since", Instant, nullable=False),
    sa.Column("schedule_since", Instant, nullable=False),
    sa.Column("armed", sa.Boolean, nullable=False),
    sa.Column("resumed_at", Instant, nullable=True),
    sa.Column("paused_at", Instant, nullable=True),
    sa.Column("paused_until", Instant, nullable=True),
    sa.Column("paused_note", sa.String, nullable=True),
    sa.Column("paused_by", sa.String, nullable=True),
    sqlite_autoincrement=True,
)

job_versions = sa.Table(
    "job_versions",
    metadata,
    sa.Column("version_id", sa.Integer, primary_key=True),
    sa.Column("job_id", sa.ForeignKey("jobs.job_id"), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("schedule", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("from_at", Instant, nullable=False),
    sa.Index(None, "job_id"),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_no", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String(36), nullable=False, unique=True),
    sa.Column("job_id", sa.ForeignKey("jobs.job_id"), nullable=False),
    sa.Column("version_id", sa.ForeignKey("job_versions.version_id"), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("fire_time", Instant, nullable=False),
    sa.Column("civil", sa.String, nullable=False),
    sa.Column("zone", sa.String, nullable=False),
    sa.Column("occurrences", sa.Integer, nullable=False, server_default="1"),
    sa.Column("last_fire_time", Instant, nullable=True),
    sa.Column("parent_run", sa.String(36), nullable=True),
    sa.Column("moved_from", Instant, nullable=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("started_at", Instant, nullable=True),
    sa.Column("ended_at", Instant, nullable=True),
    sa.Column("cycle", sa.JSON, nullable=False),
    sa.Column("has_assets", sa.Boolean, nullable=False),
    sa.Column("window_end", Instant, nullable=True),
    sa.Column("rerun_at", Instant, nullable=True),
    sa.Column("retry_at", Instant, nullable=True),
    sa.Column("wake_at", Instant, nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("interruptions", sa.Integer, nullable=False, server_default="0"),
    sa.Column("stop_requested_at", Instant, nullable=True),
    sa.Column("stop_reason", sa.String, nullable=True),
    sa.Column("stop_note", sa.String, nullable=True),
    sa.UniqueConstraint("job_id", "kind", "fire_time"),
    sa.CheckConstraint(f"state IN ({_quoted(frozenset(State))})", name="state"),
    sa.CheckConstraint("kind IN ('fire', 'run_now', 'manual', 'posted')", name="kind"),
    sa.CheckConstraint(f"(state IN ({_quoted(FINAL)})) = (ended_at IS NOT NULL)", name="ended"),
    sa.Index("ix_runs_active", "job_id", sqlite_where=sa.text(f"state IN ({_quoted(ACTIVE)})")),
    sa.Index("ix_runs_wake_at", "wake_at", sqlite_where=sa.text("wake_at IS NOT NULL")),
    sa.Index(None, "fire_time"),
    sa.Index("ix_runs_ended_at", "ended_at", sqlite_where=sa.text("ended_at IS NOT NULL")),
    sqlite_autoincrement=True,
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("attempt_id", sa.Integer, primary_key=True),
    sa.Column("run_no", sa.ForeignKey("runs.run_no"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("cause", sa.String(8), nullable=False),
    sa.Column("version_id", sa.ForeignKey("job_versions.version_id"), nullable=False),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("token", sa.String(64), nullable=False, unique=True),
    sa.Column("lease_until", Instant, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant, nullable=True),
    sa.Column("ended", sa.String(12), nullable=True),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("exit_code", sa.Integer, nullable=True),
    sa.UniqueConstraint("run_no", "number"),
    sa.CheckConstraint("cause IN ('fire', 'retry', 'rerun', 'manual', 'run_now')", name="cause"),
    sa.CheckConstraint("ended IN ('completed', 'failed', 'stopped', 'interrupted', 'lost')", name="ended"),
    sa.CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name="ended_at"),
    sa.Index("ix_attempts_open", "run_no", sqlite_where=sa.text("ended_at IS NULL")),
)

run_assets = sa.Table(
    "run_assets",
    metadata,
    sa.Column("run_no", sa.ForeignKey("runs.run_no"), primary_key=True),
    sa.Column("asset_type", sa.String, primary_key=True),
    sa.Column("asset_id", sa.String, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("attempt", sa.Integer, nullable=True),
    sa.Column("starts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("started_at", Instant, nullable=True),
    sa.Column("ended_at", Instant, nullable=True),
    sa.CheckConstraint("state IN ('open', 'done', 'fresh', 'failed', 'timed_out', 'unreachable')", name="state"),
    sa.Index("ix_run_assets_asset", "asset_type", "asset_id", "state", "run_no"),
)

check_results = sa.Table(
    "check_results",
    metadata,
    sa.Column("run_no", sa.ForeignKey("runs.run_no"), primary_key=True),
    sa.Column("asset_type", sa.String, primary_key=True),
    sa.Column("asset_id", sa.String, primary_key=True),
    sa.Column("standard", sa.String, primary_key=True),
    sa.Column("check_name", sa.String, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("result", sa.String(16), nullable=False),
    sa.Column("message", sa.String, nullable=False),
)

asset_data = sa.Table(
    "asset_data",
    metadata,
    sa.Column("asset_type", sa.String, primary_key=True),
    sa.Column("asset_id", sa.String, primary_key=True),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("collected_at", Instant, nullable=False),
)

run_memory = sa.Table(
    "run_memory",
    metadata,
    sa.Column("run_no", sa.ForeignKey("runs.run_no"), primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

job_memory = sa.Table(
    "job_memory",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.job_id"), primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

api_jobs = sa.Table(
    "api_jobs",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.job_id"), primary_key=True),
    sa.Column("source", sa.JSON, nullable=False),
    sa.Column("creator", sa.String, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("user", sa.String, nullable=False),
    sa.Column("stamp", sa.String(64), nullable=False),
    sa.Column("family", sa.String(36), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant, nullable=True),
    sa.CheckConstraint("kind IN ('access', 'refresh')", name="kind"),
    sa.Index(None, "expires_at"),
    sa.Index(None, "family"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("delivery_no", sa.Integer, primary_key=True),
    sa.Column("delivery_id", sa.String(36), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("about", sa.String(16), nullable=False),
    sa.Column("channel", sa.String, nullable=True),
    sa.Column("target", sa.String, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("job_id", sa.ForeignKey("jobs.job_id"), nullable=True),
    sa.Column("run_no", sa.ForeignKey("runs.run_no"), nullable=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("since_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=True),
    sa.Column("ended_at", Instant, nullable=True),
    sa.CheckConstraint("state IN ('pending', 'delivered', 'refused', 'void')", name="state"),
    sa.CheckConstraint("(state = 'pending') = (due_at IS NOT NULL)", name="due"),
    sa.CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ended"),
    sa.Index("ix_deliveries_due_at", "due_at", sqlite_where=sa.text("due_at IS NOT NULL")),
    sa.Index("ix_deliveries_channel", "channel", "delivery_no", sqlite_where=sa.text("due_at IS NOT NULL")),
    sa.Index(None, "run_no"),
    sa.Index(None, "job_id"),
    sa.Index("ix_deliveries_ended_at", "ended_at", sqlite_where=sa.text("ended_at IS NOT NULL")),
    sqlite_autoincrement=True,
)

sde_connectors = sa.Table(
    "sde_connectors",
    metadata,
    sa.Column("connector_id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("system", sa.String, nullable=False),
    sa.Column("inaccessible", sa.Boolean, nullable=False),
    sa.Column("params", sa.String, nullable=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

sde_connections = sa.Table(
    "sde_connections",
    metadata,
    sa.Column("connection_id", sa.Integer, primary_key=True),
    sa.Column("job_id", sa.ForeignKey("jobs.job_id"), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("alias", sa.String, nullable=False),
    sa.Column("connector_id", sa.ForeignKey("sde_connectors.connector_id"), nullable=True),
    sa.Column("project", sa.Integer, nullable=True),
    sa.Column("system", sa.String, nullable=False),
    sa.Column("frequency", sa.String(16), nullable=False),
    sa.Column("inaccessible", sa.Boolean, nullable=False),
    sa.Column("debug_mode", sa.Boolean, nullable=False),
    sa.Column("params", sa.String, nullable=True),
    sa.Column("upload", sa.String, nullable=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("modified_at", Instant, nullable=False),
    sa.Index(None, "kind", "project"),
    sa.Index(None, "connector_id"),
    sqlite_autoincrement=True,
)

sde_jobs = sa.Table(
    "sde_jobs",
    metadata,
    sa.Column("run_no", sa.ForeignKey("runs.run_no"), primary_key=True),
    sa.Column("automatic", sa.Boolean, nullable=False),
    sa.Column("user", sa.String, nullable=True),
    sa.Column("triggered_by", sa.String, nullable=True),
    sa.Column("attachment", sa.String, nullable=True),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("event_id", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("name", sa.String(32), nullable=False),
    sa.Column("job_id", sa.ForeignKey("jobs.job_id"), nullable=True),
    sa.Column("run_no", sa.ForeignKey("runs.run_no"), nullable=True),
    sa.Column("attempt", sa.Integer, nullable=True),
    sa.Column("from_state", sa.String(12), nullable=True),
    sa.Column("to_state", sa.String(12), nullable=True),
    sa.Column("reason", sa.String, nullable=False, server_default=""),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("actor_by", sa.String(8), nullable=False),
    sa.Column("actor_from", sa.String, nullable=False, server_default=""),
    sa.CheckConstraint("actor_by IN ('clock', 'cli', 'api', 'signal')", name="actor_by"),
    sa.Index("ix_events_at", "at", sqlite_where=sa.text("run_no IS NULL")),
    sa.Index(None, "run_no"),
    sa.Index(None, "job_id"),
)

health = sa.Table(
    "health",
    metadata,
    sa.Column("owner", sa.String, primary_key=True),
    sa.Column("alive_at", Instant, nullable=False),
)
