"""Deleting jobs of an API and what is known of their past: all of it goes, nothing else does."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from runners.api import AssetRef
from scheduler.control import Refused
from scheduler.ledger import NotFound, api_jobs, assets, jobs, queries, schema

FILE = """
version: 1
collectors: {host: {collect: [/bin/sh, -c, 'echo data; test ! -e fail']}}
jobs:
  - {name: other, run: {command: {argv: [echo, out]}}}
"""
TABLES = ("attempts", "run_assets", "check_results", "run_memory", "events", "deliveries")


async def done(r, job, actor):
    """Run a job, and see its run ended."""
    run = await r.control.trigger(job, actor)
    await r.settle()
    await r.idle()
    return run


def rows_of(r, run_no):
    """How many rows each table has for a run."""
    counts = {}
    for name in TABLES:
        table = schema.metadata.tables[name]
        count = sa.select(sa.func.count()).where(table.c.run_no == run_no)
        counts[name] = r.ledger.read(lambda c, count=count: c.execute(count).scalar_one())
    return counts


async def remember(r, run):
    """A memory of a run and of its job, a mail that was sent and one that was not."""

    def operation(connection):
        connection.execute(schema.run_memory.insert().values(run_no=run.run_no, name="n", value="v"))
        connection.execute(schema.job_memory.insert().values(job_id=run.job_id, name="n", value="v"))
        now = r.clock.now()
        for state, due_at, ended_at in (("delivered", None, now), ("pending", now, None)):
            values = {"kind": "mail", "about": "result", "target": "a@example.com", "body": {}, "since_at": now}
            connection.execute(
                schema.deliveries.insert().values(
                    delivery_id=state, job_id=run.job_id, run_no=run.run_no, state=state, created_at=now,
                    due_at=due_at, ended_at=ended_at, tries=1, **values,
                )
            )  # fmt: skip

    await r.ledger.write(operation)


def memory(r, job_id):
    """What is remembered of a job."""
    table = schema.job_memory
    return r.ledger.read(lambda c: c.execute(sa.select(table.c.value).where(table.c.job_id == job_id)).all())


async def test_deleting_the_history_takes_all_that_hangs_on_ended_runs(rig, toy):
    """Rows and output of ended runs go; the job, its watermark and other jobs' runs stay; an event says who and how many.

    Rule: known-since
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", {"name": "job", "collect": "host"}, toy.actor)
    run, other = await done(r, "job", toy.actor), await done(r, "other", toy.actor)
    await remember(r, run)
    output = r.folder / "state" / "output"
    assert min(rows_of(r, run.run_no)[name] for name in TABLES if name != "check_results") > 0
    assert (output / run.run_id).is_dir()
    r.clock.advance(timedelta(hours=1))
    assert await r.control.delete_history(made.guid, toy.actor) == 1
    assert r.runs("job") == []
    assert set(rows_of(r, run.run_no).values()) == {0}
    assert [path.name for path in output.iterdir()] == [other.run_id]
    row = r.job("job")
    assert (row.known_since, row.watermark, row.armed) == (r.clock.now(), made.watermark, True)
    assert memory(r, row.job_id) == [("v",)]
    last = r.events[-1]
    reason = "1 run deleted, of 2026-03-02T05:00:00Z"
    assert (last.name, last.reason, last.actor) == ("history_deleted", reason, toy.actor)
    assert await r.control.delete_history(made.guid, toy.actor) == 0


async def test_who_follows_the_journal_misses_nothing_of_a_deletion(rig, toy):
    """The ids of deleted events are never given out again: what is written after them has greater ids."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", {"name": "job"}, toy.actor)
    for _ in range(2):
        await done(r, "job", toy.actor)
        r.clock.advance(timedelta(hours=1))
    read = r.ledger.read(queries.last_event_id)
    await r.control.delete_history(made.guid, toy.actor)
    told = r.ledger.read(lambda c: queries.events_after(c, read, limit=9))
    span = "2 runs deleted, of 2026-03-02T05:00:00Z to 2026-03-02T06:00:00Z"
    assert [(event.name, event.reason) for event in told] == [("history_deleted", span)]
    await done(r, "job", toy.actor)
    read = r.ledger.read(queries.last_event_id)
    await r.control.remove(made.guid, toy.actor)
    told = r.ledger.read(lambda c: queries.events_after(c, read, limit=9))
    assert [event.name for event in told] == ["history_deleted", "remove"]


async def test_what_is_still_to_be_delivered_outlives_the_history(rig, toy):
    """A mail that waits is sent all the same; one that was sent is history."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", {"name": "job"}, toy.actor)
    await remember(r, await done(r, "job", toy.actor))
    await r.control.delete_history(made.guid, toy.actor)
    query = sa.select(schema.deliveries.c.delivery_id, schema.deliveries.c.run_no)
    assert r.ledger.read(lambda c: c.execute(query).all()) == [("pending", None)]


async def test_the_newest_data_of_an_asset_outlives_the_history(rig, toy):
    """Its file and its row: other jobs may take it for fresh."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", {"name": "job", "collect": "host"}, toy.actor)
    await done(r, "job", toy.actor)
    await r.control.delete_history(made.guid, toy.actor)
    newest = r.ledger.read(lambda c: assets.newest_data(c, AssetRef("a1", "host")))
    assert newest.path.read_text() == "data\n"


async def test_a_history_is_deleted_around_a_run_under_way(rig, toy, tmp_path):
    """What is not ended stays, and ends."""
    flag = tmp_path / "flag"
    source = {"name": "job", "argv": ["/bin/sh", "-c", f"while test -e {flag}; do sleep 0.05; done"]}
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", source, toy.actor)
    await done(r, "job", toy.actor)
    flag.write_text("")
    under_way = await r.control.trigger("job", toy.actor)
    await r.settle()
    assert await r.control.delete_history(made.guid, toy.actor) == 1
    flag.unlink()
    await r.idle()
    assert (r.run("job").run_id, r.run("job").state) == (under_way.run_id, "succeeded")


async def test_a_deleted_job_is_gone_with_its_history(rig, toy):
    """Also after a restart: it fires no more, nothing is remembered of it, and its name is free."""
    block = {"RunNow": False, "RunPeriodically": True, "RecurrenceType": 1, "StartDate": "2026-03-02T06:00:00"}
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    source = {"name": "Job", "schedule": block, "argv": ["false"]}
    made = await r.control.create("toy", source, toy.actor)
    await r.tick(days=2)
    await remember(r, r.runs("Job")[0])
    await r.control.remove(made.guid, toy.actor)
    assert (list(r.dispatcher.definitions), list(r.dispatcher.alarm.names)) == (["other"], [])
    assert list((r.folder / "state" / "output").iterdir()) == []
    assert r.ledger.read(lambda c: api_jobs.get(c, made.job_id)) is None
    assert memory(r, made.job_id) == []
    row = r.ledger.read(lambda c: jobs.by_guid(c, made.guid))
    assert (row.name, row.armed) == (f"Job (deleted {made.guid[:8]})", False)
    assert [(event.name, event.actor) for event in r.events if event.name == "remove"] == [("remove", toy.actor)]
    await r.down()
    await r.up(FILE, decode=toy.decode)
    await r.tick(days=2)
    assert r.runs() == []
    for act in (r.control.remove, r.control.delete_history):
        with pytest.raises(NotFound, match="it was deleted"):
            await act(made.guid, toy.actor)
    again = await r.control.create("toy", source, toy.actor)
    assert (again.name, again.guid == made.guid) == ("Job", False)


async def test_what_waits_of_a_deleted_job_is_cancelled(rig, toy):
    """A run between two tries ends cancelled, and says who deleted its job."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    source = {"name": "job", "argv": ["false"], "retry": {"attempts": 3}}
    made = await r.control.create("toy", source, toy.actor)
    await done(r, "job", toy.actor)
    assert r.run("job").state == "retrying"
    await r.control.remove(made.guid, toy.actor)
    run = r.run(f"job (deleted {made.guid[:8]})")
    assert (run.state, run.reason) == ("cancelled", "the job was deleted by CORP\\alice")
    await r.tick(days=1)
    assert r.run().attempts == 1


async def test_a_running_attempt_of_a_deleted_job_finishes(rig, toy, tmp_path):
    """Even while another job has taken its name: that one neither judges it nor waits for it."""
    flag = tmp_path / "flag"
    flag.write_text("")
    source = {"name": "job", "argv": ["/bin/sh", "-c", f"while test -e {flag}; do sleep 0.05; done; exit 3"]}
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", source, toy.actor)
    await r.control.trigger("job", toy.actor)
    await r.settle()
    await r.control.remove(made.guid, toy.actor)
    await r.control.create("toy", {"name": "job", "retry": {"attempts": 3}}, toy.actor)
    await done_beside(r, toy)
    flag.unlink()
    await r.idle()
    old = r.run(f"job (deleted {made.guid[:8]})")
    assert (old.state, old.attempts) == ("failed", 1)


async def done_beside(r, toy):
    """A run of the new job, while the old one's attempt goes on."""
    run = await r.control.trigger("job", toy.actor)
    await r.settle()
    await r.until(lambda: r.ledger.read(lambda c: rig_state(c, run.run_no)) == "succeeded")


def rig_state(connection, run_no):
    """The state of a run."""
    return connection.execute(sa.select(schema.runs.c.state).where(schema.runs.c.run_no == run_no)).scalar_one()


async def test_an_attempt_of_a_deleted_job_that_died_with_the_daemon_is_closed(rig, toy, tmp_path):
    """At the next start it is lost, or cancelled: nothing stays running."""
    flag = tmp_path / "flag"
    flag.write_text("")
    source = {"name": "job", "argv": ["/bin/sh", "-c", f"while test -e {flag}; do sleep 0.05; done"]}
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", source, toy.actor)
    await r.control.trigger("job", toy.actor)
    await r.settle()
    await r.control.remove(made.guid, toy.actor)
    await r.crash()
    await r.up(FILE, decode=toy.decode)
    assert str(r.run().state) == "lost"


async def test_a_file_may_take_the_name_of_a_deleted_job(rig, toy):
    """It is another job, with a life of its own."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", {"name": "Job"}, toy.actor)
    await r.control.remove(made.guid, toy.actor)
    await r.reload(FILE.replace("name: other", "name: job"))
    assert (r.job("job").origin, r.job("job").guid == made.guid) == ("yaml", False)
    with pytest.raises(Refused, match="stands in the configuration file"):
        await r.control.remove(r.job("job").guid, toy.actor)
