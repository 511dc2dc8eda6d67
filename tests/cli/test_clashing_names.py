"""A file that takes the name of a job made through an API, as an operator meets it."""

import asyncio
import signal
from datetime import UTC, datetime

from config import loads
from scheduler.ledger import Ledger, api_jobs, sync
from scheduler.model import Actor, By

FINE = "version: 1\njobs:\n  - {name: fine, run: {command: {argv: ['true']}}}\n"
CLASH = FINE + "  - {name: weekly, run: {command: {argv: ['true']}}}\n"


def with_api_job(folder):
    """A ledger in which the name is taken, by a job whose source means nothing."""
    ledger = Ledger(folder / "ledger.db")
    job = loads(CLASH.replace("weekly", "x"), file="x", folder=folder).jobs["x"]
    configuration = loads(FINE, file="x", folder=folder)
    at, actor = datetime(2026, 3, 2, tzinfo=UTC), Actor("alice", By.API)

    def operation(connection):
        named = type(job)(name="Weekly", run=job.run)
        row, _ = sync.first(connection, named, configuration, origin="ccs", at=at, actor=actor)
        api_jobs.record(connection, row.job_id, {}, creator="alice", at=at)

    asyncio.run(ledger.write(operation))
    ledger.close()


def test_a_start_is_refused_with_the_place(process, tmp_path):
    """On standard error, as any fault of the file is told; the exit code is 1."""
    with_api_job(tmp_path / "state")
    (tmp_path / "jobs.yaml").write_text(CLASH)
    child = process("run", "-c", "jobs.yaml", "--state-dir", "state", "--listen", "127.0.0.1:0")
    out, err = child.communicate(timeout=30)
    assert child.returncode == 1, out
    assert err.startswith(
        'jobs.yaml:4:5: job "weekly": a job made through the API (ccs) has this name: "Weekly", '
    )


def test_a_reload_is_refused_and_the_daemon_goes_on(process, tmp_path):
    """The log has the place; a job that cannot be read is told and takes nobody down."""
    with_api_job(tmp_path / "state")
    (tmp_path / "jobs.yaml").write_text(FINE)
    child = process("run", "-c", "jobs.yaml", "--state-dir", "state", "--listen", "127.0.0.1:0")
    lines = iter(child.stdout.readline, "")
    assert any('"job_unreadable"' in line and '"Weekly"' in line for line in lines)
    assert any('"daemon_ready"' in line for line in lines)
    (tmp_path / "jobs.yaml").write_text(CLASH)
    child.send_signal(signal.SIGHUP)
    assert any('"reload_refused"' in line and "jobs.yaml:4:5: " in line for line in lines)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert child.returncode == 0
