"""Jobs made through an API: kept in the ledger, in force like those of the file, touched by their API only."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.control import Refused
from scheduler.ledger import NotFound, api_jobs, jobs, schema

FILE = """
version: 1
{settings}
jobs:
  - {{name: {name}, enabled: {enabled}, run: {{command: {{argv: ['true']}}}}}}
"""


def file(name="other", enabled="true", settings=""):
    """A configuration with one job."""
    return FILE.format(name=name, enabled=enabled, settings=settings)


def at(start, **more):
    """A daily Schedule block."""
    return {"RunNow": False, "RunPeriodically": True, "RecurrenceType": 1, "StartDate": start, **more}


SIX = at("2026-03-02T06:00:00")


def versions(r, name):
    """How many versions the ledger has of a job."""
    table, row = schema.job_versions, r.job(name)
    count = sa.select(sa.func.count()).where(table.c.job_id == row.job_id)
    return r.ledger.read(lambda c: c.execute(count).scalar_one())


def told(r, job):
    """The events of a job: name and actor, in their order."""
    return [(event.name, event.actor.name) for event in r.events if event.job == job and event.run is None]


async def test_a_created_job_is_in_force_at_once_and_after_a_restart(rig, toy):
    """It fires by its Schedule, is armed like any other, and keeps its GUID, its creator and its source."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    made = await r.control.create("toy", {"name": "Weekly Check", "schedule": SIX}, toy.actor)
    assert (made.origin, made.watermark, made.armed) == ("toy", r.clock.now(), True)
    await r.tick(days=1)
    await r.down()
    await r.up(file(), decode=toy.decode)
    await r.tick(days=1)
    fired = [("2026-03-02T06:00:00Z", "succeeded"), ("2026-03-03T06:00:00Z", "succeeded")]
    assert r.states("Weekly Check") == fired
    row = r.ledger.read(lambda c: jobs.by_guid(c, made.guid.upper()))
    kept = r.ledger.read(lambda c: api_jobs.get(c, row.job_id))
    assert (row.name, kept.creator, kept.source["schedule"]) == ("Weekly Check", "CORP\\alice", SIX)
    assert versions(r, "Weekly Check") == 1
    assert told(r, "Weekly Check") == [("record", "CORP\\alice")]


async def test_run_now_runs_once_and_not_again_at_a_restart(rig, toy):
    """RunNow is one run, opened when the job is made.

    Rule: run-now
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    await r.control.create("toy", {"name": "now", "schedule": {"RunNow": True}}, toy.actor)
    await r.settle()
    await r.idle()
    await r.down()
    await r.up(file(), decode=toy.decode)
    await r.tick(days=1)
    assert [(str(run.kind), str(run.state)) for run in r.runs("now")] == [("run_now", "succeeded")]


async def test_a_job_without_a_start_begins_when_it_is_made(rig, toy):
    """Its anchor is kept, as that of a job of the file.

    Rule: default-start
    """
    r = rig("2026-03-02T05:17:00Z")
    await r.up(file(), decode=toy.decode)
    await r.control.create("toy", {"name": "job", "daily": True}, toy.actor)
    await r.down()
    r.clock.set(r.clock.now() + timedelta(hours=3))
    await r.up(file(), decode=toy.decode)
    await r.tick(days=1)
    assert r.states("job") == [("2026-03-03T05:17:00Z", "succeeded")]


async def test_a_name_is_taken_whoever_has_it_and_however_it_is_written(rig, toy):
    """By a job of the file, disabled ones too, or of an API; nothing of the refused one is stored.

    Rule: names
    """
    r = rig()
    await r.up(file(enabled="false"), decode=toy.decode)
    await r.control.create("toy", {"name": "Mine"}, toy.actor)
    for name in ("OTHER", "mine"):
        with pytest.raises(Refused, match="there is a job with this name already"):
            await r.control.create("toy", {"name": name}, toy.actor)
    assert [row.name for row in r.ledger.read(jobs.every)] == ["Mine", "other"]
    assert list(r.dispatcher.definitions) == ["other", "Mine"]


async def test_of_two_creations_of_one_name_at_once_one_is_made(rig, toy):
    """The other is refused."""
    r = rig()
    await r.up(file(), decode=toy.decode)
    asked = [r.control.create("toy", {"name": name}, toy.actor) for name in ("twin", "TWIN")]
    made = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer).__name__ for answer in made] == ["JobRow", "Refused"]


async def test_a_job_that_is_gone_from_the_file_gives_its_name_up(rig, toy):
    """Its history stays, under a name that says so."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file("job"), decode=toy.decode)
    await r.control.trigger("job", toy.actor)
    await r.settle()
    await r.idle()
    old = r.job("job")
    await r.reload(file("other"))
    made = await r.control.create("toy", {"name": "JOB"}, toy.actor)
    assert (r.job("job").guid, made.name) == (made.guid, "JOB")
    aside = f"job (removed {old.guid[:8]})"
    assert [str(run.state) for run in r.runs(aside)] == ["succeeded"]
    assert r.runs("JOB") == []


async def test_a_changed_schedule_fires_no_old_slot(rig, toy):
    """As an edited file: what had come due is missed, "schedule changed"; the new one counts from now."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    made = await r.control.create("toy", {"name": "job", "schedule": SIX}, toy.actor)
    r.clock.set(r.clock.now() + timedelta(hours=2))
    changed = {"name": "job", "schedule": at("2026-03-01T06:30:00", RunNow=True)}
    row = await r.control.change(made.guid, changed, run_now=False, actor=toy.actor)
    assert row.watermark == r.clock.now()
    await r.tick(days=1)
    assert [(run.fire_time.isoformat(), str(run.state), run.reason) for run in r.runs("job")] == [
        ("2026-03-02T06:00:00+00:00", "missed", "schedule changed"),
        ("2026-03-03T06:30:00+00:00", "succeeded", ""),
    ]
    kept = r.ledger.read(lambda c: api_jobs.get(c, row.job_id))
    assert (kept.source, kept.modified_at - kept.created_at) == (changed, timedelta(hours=2))


async def test_a_change_of_anything_else_keeps_the_watermark(rig, toy):
    """What had come due runs, by the new definition; a run at once only where the change asks for it."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    made = await r.control.create("toy", {"name": "job", "schedule": SIX}, toy.actor)
    r.clock.set(r.clock.now() + timedelta(hours=2))
    source = {"name": "job", "schedule": SIX, "argv": ["false"]}
    await r.control.change(made.guid, source, run_now=False, actor=toy.actor)
    await r.settle()
    await r.idle()
    await r.control.change(made.guid, source, run_now=True, actor=toy.actor)
    await r.settle()
    await r.idle()
    assert [(str(run.kind), str(run.state)) for run in r.runs("job")] == [
        ("fire", "failed"),
        ("run_now", "failed"),
    ]


async def test_a_change_that_is_to_run_now_is_refused_while_a_run_is_active(rig, toy, tmp_path):
    """One run at a time, as for a trigger; nothing of the change is stored."""
    flag = tmp_path / "flag"
    flag.write_text("")
    waits = {"name": "job", "argv": ["/bin/sh", "-c", f"while test -e {flag}; do sleep 0.05; done"]}
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    made = await r.control.create("toy", waits, toy.actor)
    run = await r.control.trigger("job", toy.actor)
    await r.settle()
    with pytest.raises(Refused) as refused:
        await r.control.change(made.guid, {"name": "renamed"}, run_now=True, actor=toy.actor)
    assert refused.value.why == f"run {run.run_id} is running"
    assert r.ledger.read(lambda c: api_jobs.get(c, made.job_id)).source == waits
    assert r.job("job").guid == made.guid
    flag.unlink()
    await r.idle()
    assert len(r.runs("job")) == 1


async def test_a_change_that_changes_nothing_makes_no_version(rig, toy):
    """But it is a modification.

    Rule: versions
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    made = await r.control.create("toy", {"name": "job", "schedule": SIX}, toy.actor)
    r.clock.advance(timedelta(hours=0.5))
    await r.control.change(made.guid, {"name": "job", "schedule": SIX}, run_now=False, actor=toy.actor)
    assert versions(r, "job") == 1
    assert r.ledger.read(lambda c: api_jobs.get(c, made.job_id)).modified_at == r.clock.now()


async def test_a_job_may_be_renamed_and_goes_on(rig, toy):
    """Same GUID, same history; it fires under its new name and not under the old one, which is free."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    made = await r.control.create("toy", {"name": "before", "schedule": SIX}, toy.actor)
    await r.tick(days=1)
    with pytest.raises(Refused, match="already"):
        await r.control.change(made.guid, {"name": "Other", "schedule": SIX}, run_now=False, actor=toy.actor)
    for name in ("Before", "after"):
        await r.control.change(made.guid, {"name": name, "schedule": SIX}, run_now=False, actor=toy.actor)
    await r.tick(days=1)
    assert len(r.runs("after")) == 2
    assert list(r.dispatcher.alarm.names) == ["after"]
    assert (r.job("after").guid, r.job("after").watermark > made.watermark) == (made.guid, True)
    await r.control.create("toy", {"name": "before"}, toy.actor)


async def test_a_run_that_waits_goes_on_under_the_new_name(rig, toy):
    """One that waits for room is not taken for that of a job that was removed, at whatever later look."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file() + "settings: {max_running: 1}\n", decode=toy.decode)
    await r.control.create("toy", {"name": "hog", "argv": ["sleep", "60"]}, toy.actor)
    hog = await r.control.trigger("hog", toy.actor)
    await r.settle()
    made = await r.control.create("toy", {"name": "before"}, toy.actor)
    waiting = await r.control.trigger("before", toy.actor)
    await r.settle()
    await r.control.change(made.guid, {"name": "after"}, run_now=False, actor=toy.actor)
    for _ in range(2):
        await r.settle()
    assert (r.run("after").run_id, r.run("after").state) == (waiting.run_id, "pending")
    await r.control.abort(hog.run_id, toy.actor)
    await r.idle()
    assert r.run("after").state == "succeeded"


async def test_a_run_under_way_is_judged_by_the_renamed_definition(rig, toy, tmp_path):
    """Its attempt fails after the job got another name: it is retried as the definition says."""
    flag = tmp_path / "flag"
    flag.write_text("")
    waits = {"argv": ["/bin/sh", "-c", f"while test -e {flag}; do sleep 0.05; done; exit 1"]}
    again = {"retry": {"attempts": 2}}
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    made = await r.control.create("toy", {"name": "a", **waits, **again}, toy.actor)
    await r.control.trigger("a", toy.actor)
    await r.settle()
    assert r.run("a").state == "running"
    await r.control.change(made.guid, {"name": "b", **waits, **again}, run_now=False, actor=toy.actor)
    flag.unlink()
    await r.idle()
    assert r.run("b").state == "retrying"
    await r.tick(minutes=1)
    assert (r.run("b").state, r.run("b").attempts) == ("failed", 2)


async def test_an_attempt_that_ends_in_the_middle_of_a_renaming_is_judged_by_it(rig, toy, tmp_path):
    """Between the commit and the moment the new name is in force: it is retried as the definition says."""
    flag = tmp_path / "flag"
    flag.write_text("")
    rest = {
        "argv": ["/bin/sh", "-c", f"while test -e {flag}; do sleep 0.05; done; exit 1"],
        "retry": {"attempts": 2},
    }
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    made = await r.control.create("toy", {"name": "a", **rest}, toy.actor)
    await r.control.trigger("a", toy.actor)
    await r.settle()
    write = r.ledger.write

    async def slow(operation):
        r.ledger.write = write
        answer = await write(operation)
        flag.unlink()
        await r.dispatcher.executor.drain()
        return answer

    r.ledger.write = slow
    await r.control.change(made.guid, {"name": "b", **rest}, run_now=False, actor=toy.actor)
    await r.settle()
    assert r.run("b").state == "retrying"


async def test_a_reload_leaves_them_alone(rig, toy):
    """A file that says nothing of them changes nothing: no event, no version, no run, whatever waits goes on.

    Rule: reload-leaves-apis-alone
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    await r.control.create("toy", {"name": "job", "schedule": SIX}, toy.actor)
    await r.tick(minutes=59, seconds=59)
    row, before = r.job("job"), len(r.events)
    await r.reload(file("different"))
    assert r.job("job") == row
    assert {event.job for event in r.events[before:]} == {"different", "other"}
    await r.tick(seconds=1)
    assert r.states("job") == [("2026-03-02T06:00:00Z", "succeeded")]


async def test_what_the_files_tables_say_reaches_them(rig, toy):
    """A collector that appears makes another definition of the job: a new version, told as the reload's doing."""
    settings = "collectors: {linux: {collect: ['true']}}"
    r = rig("2026-03-02T05:00:00Z")
    await r.up(file(), decode=toy.decode)
    await r.control.create("toy", {"name": "job", "collect": "linux", "schedule": SIX}, toy.actor)
    assert r.dispatcher.definitions["job"].run.parallel == 1
    await r.reload(file(settings=settings))
    assert r.dispatcher.definitions["job"].run.parallel == 3
    assert versions(r, "job") == 2
    assert told(r, "job") == [("record", "CORP\\alice"), ("change", "tester")]
    assert r.job("job").watermark == r.job("job").known_since


async def test_a_job_of_the_file_is_not_an_apis_to_change(rig, toy):
    """Refused with where it stands; an unknown GUID is not found."""
    r = rig()
    await r.up(file(), decode=toy.decode)
    guid, unknown = r.job("other").guid, "00000000-0000-0000-0000-000000000000"
    for key, error in ((guid, Refused), (unknown, NotFound)):
        with pytest.raises(error):
            await r.control.change(key, {"name": "x"}, run_now=False, actor=toy.actor)
        with pytest.raises(error):
            await r.control.remove(key, toy.actor)
        with pytest.raises(error):
            await r.control.delete_history(key, toy.actor)
    assert told(r, "other") == [("record", "tester")]


async def test_nothing_is_made_while_the_daemon_stops(rig, toy):
    """It would not be in force."""
    r = rig()
    await r.up(file(), decode=toy.decode)
    await r.dispatcher.stop_firing()
    with pytest.raises(Refused, match="stopping"):
        await r.control.create("toy", {"name": "late"}, toy.actor)
