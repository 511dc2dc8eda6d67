"""Runs that an API queues, or puts down as carried out by somebody else."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config.definitions import Mail, Notify, Overlap
from scheduler.control import Refused
from scheduler.ledger import NotFound, deliveries, schema
from scheduler.ledger.deliveries import DeliveryFilter
from scheduler.model import Actor, By

FILE = """
version: 1
jobs:
  - {name: other, run: {command: {argv: ['true']}}}
"""
ALICE = Actor("CORP\\alice", By.API, "192.0.2.7")
NOBODY = "00000000-0000-0000-0000-000000000000"


def nothing(connection, run):
    """An API that keeps nothing of its own."""


def kept(connection, run):
    """An API that keeps who asked."""
    connection.execute(schema.sde_jobs.insert().values(run_no=run.run_no, automatic=False, triggered_by="alice"))


def fails(connection, run):
    """An API whose own row cannot be written."""
    kept(connection, run)
    raise KeyError(run.run_no)


def rows(r):
    """What the API has kept: (run, by whom)."""
    query = sa.select(schema.sde_jobs.c.run_no, schema.sde_jobs.c.triggered_by)
    return r.ledger.read(lambda c: [tuple(row) for row in c.execute(query)])


class Waits:
    """The source of a job whose runs say when they begin and end; they end when the flag is gone."""

    def __init__(self, folder):
        self._flag, self._log = folder / "flag", folder / "log"
        self._flag.write_text("")
        waiting = f"while test -e {self._flag}; do sleep 0.02; done"
        script = f"echo begin >> {self._log}; {waiting}; echo end >> {self._log}"
        self.source = {"name": "job", "argv": ["/bin/sh", "-c", script]}

    def go(self):
        """Let them end."""
        self._flag.unlink()

    @property
    def said(self):
        """What they said."""
        return self._log.read_text().split() if self._log.exists() else []


@pytest.fixture
def waits(tmp_path):
    """A job of that kind."""
    return Waits(tmp_path)


async def started(rig, toy, source):
    """A rig with a job of an API."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    return r, await r.control.create("toy", source, ALICE)


async def test_queued_runs_go_one_after_another_in_their_order(rig, toy, waits):
    """Each is there at once and starts when those before it have ended; none is skipped, none refused."""
    r, job = await started(rig, toy, waits.source)
    r.dispatcher._poke.clear()
    queued = [await r.control.queue(job.guid, ALICE, also=kept) for _ in range(4)]
    assert r.dispatcher._poke.is_set()  # the scheduling loop looks at once
    await r.settle()
    assert [str(run.state) for run in r.runs("job")] == ["running", "pending", "pending", "pending"]
    await r.until(lambda: waits.said == ["begin"])
    waits.go()
    await r.idle()
    assert waits.said == ["begin", "end"] * 4
    ended = r.runs("job")
    assert [run.run_no for run in ended] == [run.run_no for run in queued]
    assert [(str(run.kind), str(run.state)) for run in ended] == [("manual", "succeeded")] * 4
    assert [run.started_at for run in ended] == sorted(run.started_at for run in ended)
    assert rows(r) == [(run.run_no, "alice") for run in queued]


async def test_of_many_queued_at_once_each_has_its_own_run(rig, toy, waits):
    """At the same instant: fire times a microsecond apart, in the order of acceptance."""
    r, job = await started(rig, toy, waits.source)
    waits.go()
    queued = await asyncio.gather(*(r.control.queue(job.guid, ALICE, also=kept) for _ in range(10)))
    await r.settle()
    await r.idle()
    assert sorted(run.run_no for run in queued) == [run.run_no for run in r.runs("job")]
    assert waits.said == ["begin", "end"] * 10
    assert len({run.fire_time for run in queued}) == 10


async def test_a_queued_run_waits_for_a_triggered_one_and_survives_a_restart(rig, toy, waits):
    """It waits in the ledger: after the restart it starts."""
    r, job = await started(rig, toy, waits.source)
    await r.control.trigger("job", ALICE)
    await r.settle()
    second = await r.control.queue(job.guid, ALICE, also=nothing)
    await r.settle()
    assert str(r.runs("job")[1].state) == "pending"
    await r.until(lambda: waits.said == ["begin"])
    waits.go()
    await r.down()
    await r.up(FILE, decode=toy.decode)
    await r.idle()
    (found,) = [run for run in r.runs("job") if run.run_no == second.run_no]
    assert str(found.state) == "succeeded"


async def test_a_queued_run_ignores_the_pause(rig, toy, waits):
    """As a trigger does."""
    r, job = await started(rig, toy, waits.source)
    waits.go()
    await r.control.pause("job", until=None, note=None, actor=ALICE)
    await r.control.queue(job.guid, ALICE, also=nothing)
    await r.settle()
    await r.idle()
    assert str(r.run("job").state) == "succeeded"


async def test_a_fire_time_and_a_queued_run_keep_out_of_each_other_s_way(rig, toy, waits):
    """A new occurrence displaces no queued run: both run, one after the other."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(FILE, decode=toy.decode)
    block = {"RunNow": False, "RunPeriodically": True, "RecurrenceType": 1, "StartDate": "2026-03-02T06:00:00"}

    def decode(origin, source, configuration):
        return replace(toy.decode(origin, source, configuration), overlap=Overlap.QUEUE)

    r.dispatcher.decode = decode
    job = await r.control.create("toy", {**waits.source, "schedule": block}, ALICE)
    for _ in range(2):
        await r.control.queue(job.guid, ALICE, also=nothing)
    await r.settle()
    await r.tick(seconds=1, wait=False)
    assert sorted((str(run.kind), str(run.state)) for run in r.runs("job")) == [
        ("fire", "pending"),
        ("manual", "pending"),
        ("manual", "running"),
    ]
    waits.go()
    await r.idle()
    assert [str(run.state) for run in r.runs("job")] == ["succeeded"] * 3


@pytest.mark.parametrize("act", ["queue", "record"])
async def test_what_the_api_cannot_keep_undoes_the_run(rig, toy, waits, act):
    """One transaction: no run, no row, no event, nothing that starts."""
    r, job = await started(rig, toy, waits.source)
    before = len(r.events)
    more = {} if act == "queue" else {"succeeded": True, "reason": ""}
    with pytest.raises(KeyError):
        await getattr(r.control, act)(job.guid, ALICE, also=fails, **more)
    await r.settle()
    assert (r.runs("job"), rows(r), len(r.events), waits.said) == ([], [], before, [])


@pytest.mark.parametrize("act", ["queue", "record"])
async def test_only_jobs_that_are_there_and_that_an_api_made(rig, toy, waits, act):
    """A job of the file is refused, an unknown or deleted one is not found."""
    r, job = await started(rig, toy, waits.source)
    more = {} if act == "queue" else {"succeeded": True, "reason": ""}
    await r.control.remove(job.guid, ALICE)
    for key, error in ((r.job("other").guid, Refused), (NOBODY, NotFound), (job.guid, NotFound)):
        with pytest.raises(error):
            await getattr(r.control, act)(key, ALICE, also=kept, **more)
    assert (r.runs(), rows(r)) == ([], [])


async def test_a_disabled_job_queues_nothing(rig, toy, waits):
    """It would be cancelled at once; what somebody else has done is put down all the same."""
    r = rig("2026-03-02T05:00:00Z")

    def decode(origin, source, configuration):
        return replace(toy.decode(origin, source, configuration), enabled=False)

    await r.up(FILE, decode=decode)
    job = await r.control.create("toy", waits.source, ALICE)
    with pytest.raises(Refused, match="is disabled"):
        await r.control.queue(job.guid, ALICE, also=kept)
    assert r.runs("job") == []
    run = await r.control.record(job.guid, ALICE, succeeded=True, reason="", also=kept)
    assert str(run.state) == "succeeded"


@pytest.mark.parametrize("act", ["queue", "record"])
async def test_a_job_that_cannot_be_read(rig, toy, waits, act):
    """Its definition is not in force: refused."""
    r, job = await started(rig, toy, waits.source)
    await r.down()
    toy.unreadable.add("job")
    await r.up(FILE, decode=toy.decode)
    more = {} if act == "queue" else {"succeeded": True, "reason": ""}
    with pytest.raises(Refused, match="cannot be read"):
        await getattr(r.control, act)(job.guid, ALICE, also=kept, **more)


async def test_nothing_is_queued_while_the_daemon_stops(rig, toy, waits):
    """What somebody else has done is still put down: it needs nobody to carry it out."""
    r, job = await started(rig, toy, waits.source)
    await r.dispatcher.stop_firing()
    with pytest.raises(Refused, match="stopping"):
        await r.control.queue(job.guid, ALICE, also=kept)
    await r.control.record(job.guid, ALICE, succeeded=False, reason="no route", also=kept)
    assert [(str(run.state), run.reason) for run in r.runs("job")] == [("failed", "no route")]


@pytest.mark.parametrize(("succeeded", "state"), [(True, "succeeded"), (False, "failed")])
async def test_a_posted_run_has_ended(rig, toy, waits, succeeded, state):
    """Kind posted, with its words, just now; nothing is started, whatever is active goes on."""
    r, job = await started(rig, toy, waits.source)
    await r.control.queue(job.guid, ALICE, also=nothing)
    await r.settle()
    run = await r.control.record(job.guid, ALICE, succeeded=succeeded, reason="a \udce9 b", also=kept)
    await r.settle()
    assert (str(run.kind), str(run.state), run.reason) == ("posted", state, "a \\udce9 b")
    assert run.fire_time >= r.clock.now()
    assert (run.ended_at, run.started_at, run.attempts) == (r.clock.now(), None, 0)
    assert sorted(str(one.state) for one in r.runs("job")) == sorted(["running", state])
    (told,) = [event for event in r.events if event.run is not None and event.run.run_no == run.run_no]
    assert (told.name, told.actor, told.reason) == ("open", ALICE, "a \\udce9 b")
    assert rows(r) == [(run.run_no, "alice")]
    waits.go()
    await r.idle()


async def test_identical_results_at_one_instant_are_runs_of_their_own(rig, toy, waits):
    """Two agents, or one that posts again: each is kept."""
    r, job = await started(rig, toy, waits.source)
    asked = [r.control.record(job.guid, ALICE, succeeded=True, reason="same", also=kept) for _ in range(5)]
    made = await asyncio.gather(*asked)
    assert len({run.run_no for run in made}) == len({run.fire_time for run in made}) == 5
    assert len(rows(r)) == 5


@pytest.mark.parametrize("succeeded", [True, False])
async def test_a_posted_run_is_told_to_whom_it_concerns(rig, toy, waits, succeeded):
    """By its job's `notify`, in the same transaction, as any outcome."""
    about = "success" if succeeded else "failure"

    def decode(origin, source, configuration):
        notify = Notify(success=Mail(to=("s@example.com",)), failure=Mail(to=("f@example.com",)))
        return replace(toy.decode(origin, source, configuration), notify=notify)

    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=decode)
    job = await r.control.create("toy", waits.source, ALICE)
    await r.control.record(job.guid, ALICE, succeeded=succeeded, reason="why", also=kept)
    (one,) = r.ledger.read(lambda c: deliveries.list_deliveries(c, DeliveryFilter(), limit=9))
    assert (one.kind, one.about, one.target) == ("mail", about, f"{about[0]}@example.com")
    assert "why" in one.body["text"]
