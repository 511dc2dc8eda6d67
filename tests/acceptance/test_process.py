"""Signals, notifications, exit codes: the daemon as a service."""

import signal
import sqlite3
import time

LONG = """
version: 1
settings: {{stop_timeout: {patience}, kill_after: 2s}}
jobs:
  - name: long
    {more}
    schedule: {{interval: 1s}}
    run: {{command: {{argv: [/bin/sh, -c, "echo $$ >> {folder}/pids; while test -e {folder}/flag; do sleep 0.1; done"]}}}}
"""


def long(folder, *, patience="20s", more="idempotent: true"):
    """A job that works as long as a file is there."""
    (folder / "flag").write_text("")
    return LONG.format(folder=folder, patience=patience, more=more)


def test_ready_comes_when_all_is_up_and_stopping_when_it_ends(daemon, tmp_path):
    """READY with the API answering, WATCHDOG fed by the loop, STOPPING on SIGTERM, exit code 0."""
    p = daemon(long(tmp_path), watchdog_s=2).ready()
    assert p.get("/readyz").status_code == 200
    assert (p.state / "token").stat().st_mode & 0o777 == 0o600
    p.notified("WATCHDOG=1", 5)
    p.notified("WATCHDOG=1", 5)
    (tmp_path / "flag").unlink()
    assert p.stop() == 0
    p.notified("STOPPING=1", 2)
    assert p.lines[-1]["event"] == "daemon_stopped"
    assert not (p.state / "token").exists()


def test_sigterm_lets_an_attempt_finish(daemon, tmp_path):
    """Within stop_timeout the attempt ends by itself and its run succeeds; nothing new starts."""
    p = daemon(long(tmp_path)).ready()
    p.logged("attempt_started")
    p.signal(signal.SIGTERM)
    p.logged("daemon_stopping", running=1)
    (tmp_path / "flag").unlink()
    assert p.process.wait(10) == 0
    assert p.logged("run_succeeded")
    assert sum(line["event"] == "attempt_started" for line in p.lines) == 1


def test_an_attempt_that_outlasts_stop_timeout_is_interrupted_and_not_used_up(daemon, tmp_path, alive):
    """It is ended, its run is retrying, and the next start takes it up with the same count of tries."""
    p = daemon(long(tmp_path, patience="1s")).ready()
    run_id = p.logged("attempt_started")["run_id"]
    p.until((tmp_path / "pids").exists)
    assert p.stop() == 0
    assert p.logged("attempt_interrupted", run_id=run_id, state="retrying")
    assert not any(alive(int(pid)) for pid in (tmp_path / "pids").read_text().split())
    (tmp_path / "flag").unlink()
    again = daemon(tmp_path / "jobs.yaml").ready()
    again.logged("run_succeeded", run_id=run_id)
    assert again.get(f"/v1/runs/{run_id}").json()["attempts"] == 2


def test_a_command_that_may_not_be_repeated_is_lost_when_interrupted(daemon, tmp_path):
    """Without `idempotent: true` an interrupted command is lost, and the log says why."""
    p = daemon(long(tmp_path, patience="1s", more="enabled: true")).ready()
    p.logged("attempt_started")
    p.until((tmp_path / "pids").exists)
    assert p.stop() == 0
    assert "idempotent: true" in p.logged("run_lost")["reason"]


def test_sighup_takes_a_good_file_whole_and_keeps_the_old_on_any_fault(daemon, tmp_path):
    """RELOADING, then READY; a faulty file is named in the log with its place, and nothing of it is taken."""
    good = "version: 1\njobs:\n  - {name: one, schedule: {interval: 1s}, run: {command: {argv: ['true']}}}\n"
    p = daemon(good).ready()
    p.logged("run_succeeded", job="one")
    (tmp_path / "jobs.yaml").write_text(good.replace("one", "two") + "  - {name: bad, shedule: {}}\n")
    p.signal(signal.SIGHUP)
    p.notified("RELOADING=1", 5)
    assert "refused" in p.notified("READY=1", 5)
    assert "jobs.yaml:4:" in p.logged("reload_refused")["reason"]
    assert [job["job"] for job in p.get("/v1/jobs").json()] == ["one"]
    (tmp_path / "jobs.yaml").write_text(good.replace("one", "two"))
    p.signal(signal.SIGHUP)
    p.logged("reloaded")
    p.logged("run_succeeded", job="two")
    before = len(p.runs("one"))
    p.logged("run_succeeded", job="two", after=len(p.lines))
    assert len(p.runs("one")) == before


def test_a_faulty_file_refuses_the_start(daemon):
    """Exit code 1; every fault on a line of its own on standard error."""
    p = daemon("version: 2\njobs:\n  - {name: Bad Name}\n")
    assert p.process.wait(20) == 1
    p._threads[2].join(5)
    assert len(p.stderr.splitlines()) >= 3
    assert all("jobs.yaml:" in line for line in p.stderr.splitlines())


def test_a_second_daemon_on_one_state_folder_refuses_to_start(daemon, tmp_path):
    """It names the other's process and leaves its token alone.

    Rule: one-daemon
    """
    first = daemon(long(tmp_path)).ready()
    second = daemon(tmp_path / "jobs.yaml")
    assert second.process.wait(20) == 1
    assert str(first.process.pid) in second.logged("start_refused")["reason"]
    assert first.get("/readyz").status_code == 200
    (tmp_path / "flag").unlink()


def test_kill_9_in_the_middle_of_a_collection(daemon, tmp_path, script, alive):
    """After SIGKILL the next start ends what was left behind and takes the remaining assets; none is done twice.

    Rule: crash-leftovers
    """
    script(
        "c.sh",
        f"#!/bin/sh\necho $1 >> {tmp_path}/starts\n"
        f"if test $1 != a && test -e {tmp_path}/flag; then echo $$ >> {tmp_path}/pids; sleep 600; fi\necho x\n",
    )
    (tmp_path / "flag").write_text("")
    assets = "[{id: a, type: host}, {id: b, type: host}, {id: c, type: host}]"
    p = daemon(f"""
version: 1
collectors: {{host: {{collect: [./c.sh, "{{asset.id}}"]}}}}
jobs:
  - name: fleet
    schedule: {{once: true, start: 2020-01-01T00:00:00}}
    run: {{collect: {{type: CollectionJob, assets: {assets}, parallel: 3}}}}
""").ready()
    p.trigger("fleet")
    p.until(lambda: len((tmp_path / "pids").read_text().split()) == 2 if (tmp_path / "pids").exists() else False)
    p.until(lambda: p.runs()[0]["assets"]["done"] == 1)
    p.kill()
    orphans = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert all(alive(pid) for pid in orphans)
    (tmp_path / "flag").unlink()
    again = daemon(tmp_path / "jobs.yaml").ready()
    again.logged("recovered", attempts=1)
    again.logged("run_succeeded")
    assert not any(alive(pid) for pid in orphans)
    (run,) = again.runs()
    assert (run["attempts"], run["assets"]["done"]) == (2, 3)
    assert sorted((tmp_path / "starts").read_text().split()) == ["a", "b", "b", "c", "c"]


def test_a_ledger_that_cannot_be_written(daemon, tmp_path):
    """No run starts and /readyz says so; when it can be written again, what was due is caught up.

    Rule: unwritable-ledger
    """
    p = daemon(
        "version: 1\njobs:\n  - {name: one, schedule: {interval: 1s}, run: {command: {argv: ['true']}}}\n"
    ).ready()
    p.logged("run_succeeded")
    thief = sqlite3.connect(p.state / "ledger.db", isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    p.logged("ledger_not_writable", 20)
    seen = len(p.lines)
    answer = p.get("/readyz")
    assert answer.status_code == 503
    assert "ledger" in str(answer.json()["reasons"])
    time.sleep(1.5)  # two fire times pass while it cannot be written
    assert not [line for line in p.lines[seen:] if line["event"] == "attempt_started"]
    thief.execute("ROLLBACK")
    thief.close()
    p.logged("ledger_writable_again", 20)
    p.logged("run_missed", 20, after=seen)
    p.logged("run_succeeded", 20, after=seen)
    p.until(lambda: p.get("/readyz").status_code == 200)
    times = [run["fire_time"] for run in p.runs("one")]
    assert len(set(times)) == len(times)
