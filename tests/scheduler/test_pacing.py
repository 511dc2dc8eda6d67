"""What starts late starts at settings.catch_up_rate; what starts on time is never held up by that."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
import structlog

from runners.api import Ended, Outcome
from scheduler.pacing import LOOK_S, Pace

AT = datetime.fromisoformat("2026-03-02T00:00:00Z")
JOBS = """
version: 1
settings: {{catch_up_rate: {rate}}}
defaults: {{run: {{command: {{argv: ["true"]}}}}}}
jobs:
{late}
  - name: prompt
    schedule: {{start: 2026-03-02T03:30:02, once: true}}
"""
LATE = "  - {{name: j{0:02}, priority: {1}, schedule: {{start: 2026-03-02T03:00:00, daily: {{}}}}}}"


class AtOnce:
    """A runner that succeeds as soon as it is asked."""

    async def execute(self, execution):
        """Done."""
        return Outcome(Ended.COMPLETED)


def at_once(_run):
    """Whatever the kind of run is."""
    return AtOnce()


def text(*, rate="5/s", count=17):
    """So many jobs that were due at 03:00, the last of them of a higher priority, and one at 03:30:02."""
    late = [LATE.format(number, int(number == count - 1)) for number in range(count)]
    return JOBS.format(rate=rate, late="\n".join(late))


async def away(rig, *, now="03:30:00", **more):
    """A scheduler that was down from midnight until `now`."""
    r = rig("2026-03-02T00:00:00Z")
    await r.up(text(**more), runner=at_once)
    await r.down()
    r.clock.set(datetime.fromisoformat(f"2026-03-02T{now}Z"))
    return r


async def test_a_storm_after_downtime_is_paced_and_holds_up_nobody_else(rig):
    """17 jobs at 5/s: five at once, then five a second, the most important first; the one on time starts on time."""
    r = await away(rig)
    with structlog.testing.capture_logs() as lines:
        await r.up(text(), runner=at_once)
        await r.idle()
        assert Counter(str(x.state) for x in r.runs()) == {"pending": 12, "succeeded": 5}
        assert r.runs("j16")[0].state == "succeeded"
        r.clock.advance(timedelta(seconds=1))
        await r.settle()
        await r.idle()
        assert Counter(str(x.state) for x in r.runs()) == {"pending": 7, "succeeded": 10}
        await r.tick(seconds=5)
    assert {str(x.state) for x in r.runs()} == {"succeeded"}
    starts = sorted(x.started_at for x in r.runs() if x.job != "prompt")
    for begin in starts:
        assert sum(begin <= other < begin + timedelta(seconds=1) for other in starts) <= 10
    assert starts[-1] - starts[0] <= timedelta(seconds=3)
    assert r.run("prompt").started_at == r.run("prompt").fire_time
    assert [(x["event"], x["waiting"]) for x in lines if x["event"] == "catching_up"] == [("catching_up", 12)]
    assert r.dispatcher.paced_at is None


async def test_a_prompt_start_takes_nothing_of_the_rate(rig):
    """An empty bucket of one in an hour: what comes due now starts now, what was missed waits an hour."""
    r = await away(rig, rate="1/h", count=2)
    await r.up(text(rate="1/h", count=2), runner=at_once)
    await r.tick(minutes=50)
    assert [str(r.run(name).state) for name in ("j00", "j01", "prompt")] == ["pending", "succeeded", "succeeded"]
    await r.tick(minutes=10)
    assert r.run("j00").started_at == datetime.fromisoformat("2026-03-02T04:30:00Z")


async def test_what_waits_too_long_for_its_turn_is_missed(rig):
    """The grace holds while it waits: nothing starts later than its job allows, and its row says so."""
    r = await away(rig, rate="1/h", count=2, now="08:50:00")
    await r.up(text(rate="1/h", count=2), runner=at_once)
    await r.tick(minutes=15)
    assert (r.run("j00").state, r.run("j00").reason) == ("missed", "not started within its grace of 6h")


async def test_within_a_minute_of_its_fire_time_it_is_on_time(rig):
    """A short restart is no downtime: all start at once."""
    r = await away(rig, now="03:01:00")
    await r.up(text(), runner=at_once)
    await r.idle()
    assert {str(x.state) for x in r.runs()} == {"succeeded"}


async def test_what_is_asked_for_by_hand_does_not_wait(rig, operator):
    """A run by hand starts at once while a storm is being paced."""
    r = await away(rig, rate="1/h")
    await r.up(text(rate="1/h"), runner=at_once)
    run = await r.control.trigger("prompt", operator)
    await r.settle()
    await r.idle()
    assert [x.state for x in r.runs("prompt") if x.run_id == run.run_id] == ["succeeded"]
    assert sum(x.state == "pending" for x in r.runs()) == 16


@pytest.mark.parametrize(("rate", "room"), [(20.0, 20), (1.5, 1), (1 / 3600, 1)])
def test_the_bucket_holds_a_seconds_worth_and_one_at_least(rate, room):
    """However long nothing started."""
    pace = Pace()
    assert pace.room(rate, AT) == room
    assert pace.room(rate, AT + timedelta(days=9)) == room


def test_the_bucket_and_clock_steps():
    """A clock set back fills nothing and stops nothing; each start that was held up comes when it says."""
    pace = Pace()
    pace.take(pace.room(2.0, AT))
    assert pace.room(2.0, AT) == 0
    assert pace.next_at() == AT + timedelta(seconds=0.5)
    assert pace.room(2.0, AT - timedelta(hours=9)) == 0
    back = pace.next_at()
    assert back == AT - timedelta(hours=9) + timedelta(seconds=0.5)
    assert pace.room(2.0, back) == 1
    pace.take(1)
    fast = Pace()
    fast.take(fast.room(1000.0, AT))
    assert fast.next_at() - AT == timedelta(seconds=LOOK_S)
