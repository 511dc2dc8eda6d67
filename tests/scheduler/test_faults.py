"""One thing goes wrong; the others fire on time, the row closes, the log says what happened."""

import sqlite3
from dataclasses import replace

import pytest
import structlog

from recurrence.schedule import Schedule
from scheduler.ledger import Ledger, LedgerLocked, LedgerTooNew

TWO = """
version: 1
jobs:
  - name: bad
    schedule: {start: 2026-03-02T06:00:00, interval: 1h}
    run: {command: {argv: ["true"]}}
  - name: good
    schedule: {start: 2026-03-02T06:00:00, interval: 1h}
    run: {command: {argv: ["true"]}}
"""


class BrokenSchedule(Schedule):
    """A schedule whose recurrence raises, as a bug of ours would."""

    __slots__ = ()

    def __getattribute__(self, name):
        if name == "rule":
            raise RuntimeError("no more instants")
        return super().__getattribute__(name)


async def test_a_recurrence_that_raises_breaks_its_own_job_only(rig):
    """Alarm and planner both go on for the other jobs, and the log names the broken one."""
    r = rig("2026-03-02T05:30:00Z")
    await r.up(TWO)
    bad = r.dispatcher.definitions["bad"]
    broken = object.__new__(BrokenSchedule)
    for field in Schedule.__slots__:
        object.__setattr__(broken, field, getattr(bad.schedule, field))
    r.dispatcher.definitions = {**r.dispatcher.definitions, "bad": replace(bad, schedule=broken)}
    r.dispatcher.alarm.set({n: j.schedule for n, j in r.dispatcher.definitions.items()})
    with structlog.testing.capture_logs() as lines:
        r.dispatcher.mark(["bad", "good"])
        await r.tick(hours=2)
    assert [str(x.state) for x in r.runs("good")] == ["succeeded", "succeeded"]
    assert r.runs("bad") == []
    told = [line for line in lines if line["event"] == "trigger_failed"]
    assert told
    assert all(line["job"] == "bad" and "no more instants" in line["reason"] for line in told)


async def test_a_runner_that_raises_fails_its_attempt_and_nothing_else(rig):
    """An exception out of a runner is the attempt's error; the row closes with its text."""

    class Raising:
        async def execute(self, execution):
            raise ZeroDivisionError("a bug of ours")

    from runners.registry import Runners

    r = rig("2026-03-02T05:30:00Z")
    await r.up(TWO)
    r.dispatcher.executor._runner_for = lambda run: (
        Raising() if run is r.dispatcher.definitions["bad"].run else Runners({}).runner_for(run)
    )
    with structlog.testing.capture_logs() as lines:
        await r.tick(hours=1)
    assert (r.run("bad").state, r.run("bad").reason) == ("failed", "ZeroDivisionError: a bug of ours")
    assert r.run("good").state == "succeeded"
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["runner_raised"]


async def test_while_the_ledger_cannot_be_written_nothing_starts_and_it_is_caught_up(rig):
    """Another process holds the ledger's lock over two fire times: no run starts; then what was due is.

    Rule: unwritable-ledger
    """
    r = rig("2026-03-02T05:30:00Z")
    await r.up(TWO)
    thief = sqlite3.connect(r.ledger.path, isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    with structlog.testing.capture_logs() as lines:
        r.clock.set(r.clock.now().replace(hour=7))
        await r.settle()
        assert r.runs() == []
        assert not r.dispatcher.writable
        assert [line["event"] for line in lines if line["log_level"] == "error"] == ["ledger_not_writable"]
        thief.execute("ROLLBACK")
        thief.close()
        await r.settle()
        await r.idle()
    assert r.dispatcher.writable
    assert [(x.fire_time.hour, str(x.state)) for x in r.runs("good")] == [(6, "missed"), (7, "succeeded")]
    assert "ledger_writable_again" in [line["event"] for line in lines]


async def test_what_ends_while_the_ledger_cannot_be_written_is_written_later(rig, tmp_path):
    """A command ends during the outage: its end is stored when the ledger can be written again."""
    flag = tmp_path / "flag"
    flag.write_text("")
    r = rig("2026-03-02T05:59:59Z")
    await r.up(TWO.replace('["true"]', f"[/bin/sh, -c, 'while test -e {flag}; do sleep 0.05; done']", 1))
    await r.tick(seconds=1, wait=False)
    thief = sqlite3.connect(r.ledger.path, isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    flag.unlink()
    await r.settle()
    assert r.run("bad").state == "running"
    thief.execute("ROLLBACK")
    thief.close()
    await r.idle()
    assert r.run("bad").state == "succeeded"


async def test_a_second_daemon_on_one_folder_refuses_to_start(rig):
    """The folder is locked by its daemon; the refusal names the other's process.

    Rule: one-daemon
    """
    r = rig()
    await r.up(TWO)
    with pytest.raises(LedgerLocked, match=r"in use by another daemon \(pid \d+\)"):
        Ledger(r.ledger.path)


async def test_a_ledger_newer_than_the_program_is_refused(rig):
    """A schema that this program does not know is left alone.

    Rule: newer-ledger
    """
    r = rig()
    await r.up(TWO)
    path = r.ledger.path
    await r.down()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerTooNew, match="install the newer jobsd"):
        Ledger(path)


async def test_a_double_wake_up_fires_once(rig):
    """The row's key decides: marking a job again and again opens no second run.

    Rule: run-key
    """
    r = rig("2026-03-02T05:59:59Z")
    await r.up(TWO)
    await r.tick(seconds=1)
    for _ in range(3):
        r.dispatcher.mark(["good", "bad"])
        await r.settle()
    assert len(r.runs()) == 2


async def test_a_kind_of_run_that_this_version_cannot_carry_out_fails_in_plain_words(rig):
    """No traceback, no retry: the row says which kind it is."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up("""
version: 1
jobs:
  - name: later
    retry: {attempts: 3}
    schedule: {start: 2026-03-02T06:00:00, daily: {}}
    run: {http: {url: "http://127.0.0.1:9/"}}
""")
    await r.tick(seconds=1)
    assert (r.run().state, r.run().attempts) == ("failed", 1)
    assert "run.http" in r.run().reason
