"""Several jobs of an API that are changed in one act."""

import pytest

from scheduler.control import Refused
from scheduler.ledger import NotFound, api_jobs, jobs

FILE = """
version: 1
jobs:
  - {name: other, run: {command: {argv: ['true']}}}
"""
NOBODY = "00000000-0000-0000-0000-000000000000"


def at(start):
    """A daily Schedule block."""
    return {"RunNow": False, "RunPeriodically": True, "RecurrenceType": 1, "StartDate": start}


SIX, EIGHT = at("2026-03-02T06:00:00"), at("2026-03-02T08:00:00")


def nothing(connection):
    """An API that keeps nothing of its own."""


async def three(rig, toy):
    """A rig with three daily jobs; their GUIDs by name."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = [await r.control.create("toy", {"name": name, "schedule": SIX}, toy.actor) for name in "abc"]
    return r, {row.name: row.guid for row in made}


def sources(r, guids):
    """The Schedule block that the ledger has of each job."""
    rows = {name: r.ledger.read(lambda c, guid=guid: jobs.by_guid(c, guid)) for name, guid in guids.items()}
    kept = {name: r.ledger.read(lambda c, row=row: api_jobs.get(c, row.job_id)) for name, row in rows.items()}
    return {name: made.source.get("schedule") for name, made in kept.items()}


async def test_all_are_in_force_together(rig, toy):
    """Each fires by its new source and no more by the old one; one without a schedule is silent; the rest stay."""
    r, guids = await three(rig, toy)
    changes = {guids["a"]: {"name": "a", "schedule": EIGHT}, guids["b"]: {"name": "b"}}
    await r.control.change_each(changes, toy.actor, also=nothing)
    await r.tick(hours=4)
    assert r.states("a") == [("2026-03-02T08:00:00Z", "succeeded")]
    assert r.states("b") == []
    assert r.states("c") == [("2026-03-02T06:00:00Z", "succeeded")]
    await r.down()
    await r.up(FILE, decode=toy.decode)
    await r.tick(days=1)
    assert r.states("a")[1:] == [("2026-03-03T08:00:00Z", "succeeded")]
    assert r.states("b") == []
    assert sources(r, guids) == {"a": EIGHT, "b": None, "c": SIX}


async def test_what_came_due_under_the_old_schedule_is_missed(rig, toy):
    """As where the file is edited: an old fire time that nobody fired is told, and is not fired any more.

    Rule: watermark
    """
    r, guids = await three(rig, toy)
    r.clock.set(r.clock.now().replace(hour=7))
    await r.control.change_each({guids["a"]: {"name": "a", "schedule": EIGHT}}, toy.actor, also=nothing)
    assert r.states("a") == [("2026-03-02T06:00:00Z", "missed")]


async def test_all_or_none(rig, toy):
    """Where the API's own rows cannot be written, or one of the jobs is not there, nothing is changed."""
    r, guids = await three(rig, toy)
    changes = {guids[name]: {"name": name, "schedule": EIGHT} for name in "ab"}

    def fails(_connection):
        raise KeyError("no such row")

    toy.unreadable = {"c"}
    other = r.job("other").guid
    for more, also, error in (
        ({}, fails, KeyError),
        ({NOBODY: {"name": "z"}}, nothing, NotFound),
        ({other: {"name": "other"}}, nothing, Refused),
        ({guids["c"]: {"name": "c"}}, nothing, ValueError),
    ):
        with pytest.raises(error):
            await r.control.change_each(changes | more, toy.actor, also=also)
    assert sources(r, guids) == dict.fromkeys("abc", SIX)
    await r.tick(hours=4)
    assert [r.states(name) for name in "abc"] == [[("2026-03-02T06:00:00Z", "succeeded")]] * 3


async def test_nothing_is_changed_while_the_daemon_stops(rig, toy):
    """It is refused, and says why."""
    r, guids = await three(rig, toy)
    await r.dispatcher.stop_firing()
    with pytest.raises(Refused, match="stopping"):
        await r.control.change_each({guids["a"]: {"name": "a"}}, toy.actor, also=nothing)
    assert sources(r, guids)["a"] == SIX
