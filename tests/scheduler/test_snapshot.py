"""What the scheduler reads at every turn: by indexes, however long the history is."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.ledger import runs
from scheduler.ledger.snapshot import Eye, next_wake

JOB = """
version: 1
jobs:
  - name: job
    schedule: {start: 2026-03-02T06:00:00, interval: 1h}
    run: {command: {argv: ["true"]}}
"""


@pytest.fixture
async def plans(rig):
    """A function that runs an operation; returns SQLite's plan of every SELECT in it."""
    r = rig("2026-03-02T05:30:00Z")
    await r.up(JOB)
    now = r.clock.now() + timedelta(hours=3)

    def of(operation):
        statements = []

        def seen(_connection, cursor, statement, parameters, _context, _many):
            if statement.startswith("SELECT"):
                plan = cursor.connection.cursor().execute("EXPLAIN QUERY PLAN " + statement, parameters)
                statements.append("; ".join(row[3] for row in plan))

        sa.event.listen(r.ledger._readers, "before_cursor_execute", seen)
        r.ledger.read(lambda connection: operation(connection, now))
        sa.event.remove(r.ledger._readers, "before_cursor_execute", seen)
        return statements

    return of


@pytest.mark.parametrize(
    "operation",
    [
        lambda connection, now: Eye().take(connection, due=["job"], now=now),
        lambda connection, now: Eye().take(connection, due=[], now=now),
        next_wake,
        lambda connection, _now: runs.active_of(connection, 1),
    ],
    ids=["due", "quiet", "wake", "siblings"],
)
async def test_no_turn_reads_the_history(plans, operation):
    """Neither runs nor jobs are read from end to end, nor all runs of one job, at a turn of the loop."""
    for plan in plans(operation):
        assert "SCAN runs" not in plan
        assert "SCAN jobs" not in plan
        assert "sqlite_autoindex_runs_1 (job_id=?)" not in plan
