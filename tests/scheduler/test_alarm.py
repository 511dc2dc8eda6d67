"""The alarm clock over APScheduler's own reading of the time, frozen where it reads it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from apscheduler.triggers.base import BaseTrigger
from freezegun import freeze_time

from recurrence.schedule import Daily, Interval, Once, Schedule
from scheduler.alarm import BATCH, BROKEN_AGAIN, Alarm, GuardedTrigger
from scheduler.clock import ManualClock, SystemClock

START = "2026-03-08T06:59:59Z"


def every(seconds, start="2026-03-08T07:00:00"):
    """Every so many seconds from an instant."""
    return Schedule(rule=Interval(timedelta(seconds=seconds)), start=datetime.fromisoformat(start))


@pytest.fixture
async def alarm():
    """A function that makes a started alarm; `marks` holds what it marked. All are stopped."""
    made = []

    def make(clock, schedules):
        marks = []
        one = Alarm(clock, marks.extend)
        one.marks = marks
        one.set(schedules)
        one.start()
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()
    await asyncio.sleep(0)


async def look(alarm):
    """One wake-up."""
    alarm.wake()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_a_job_is_marked_at_its_fire_time_over_the_gap_of_new_york(alarm):
    """02:30 does not exist on 8 March: the job is marked at 03:30 local, not a second before."""
    gap = Schedule(rule=Daily(), zone="America/New_York", start=datetime.fromisoformat("2026-03-01T02:30:00"))
    with freeze_time(START, real_asyncio=True) as frozen:
        one = alarm(SystemClock(), {"nightly": gap})
        frozen.move_to("2026-03-08T07:29:59Z")
        await look(one)
        assert one.marks == []
        frozen.move_to("2026-03-08T07:30:00Z")
        await look(one)
        assert one.marks == ["nightly"]
        assert one.next_fire_time == datetime.fromisoformat("2026-03-09T06:30:00Z")


async def test_a_long_sleep_marks_each_job_once(alarm):
    """A machine suspended for a year: one mark for a job of every second, and it is armed for the next one."""
    with freeze_time(START, real_asyncio=True) as frozen:
        one = alarm(SystemClock(), {"ticker": every(1), "hourly": every(3600)})
        frozen.move_to("2027-03-08T07:00:00.5Z")
        await look(one)
        assert sorted(one.marks) == ["hourly", "ticker"]
        assert one.next_fire_time == datetime.fromisoformat("2027-03-08T07:00:01Z")


async def test_a_step_backwards_marks_nothing_again(alarm):
    """The wall clock is set back an hour after the fire time: no second mark for it."""
    with freeze_time(START, real_asyncio=True) as frozen:
        one = alarm(SystemClock(), {"hourly": every(3600)})
        frozen.move_to("2026-03-08T07:00:00Z")
        await look(one)
        frozen.move_to("2026-03-08T06:30:00Z")
        await look(one)
        frozen.move_to("2026-03-08T07:10:00Z")
        await look(one)
        assert one.marks == ["hourly"]


async def test_ten_thousand_jobs_due_at_once_are_marked_in_batches(alarm):
    """No wake-up marks more than a batch, so the loop gets its turn between; all are marked in the end."""
    clock = ManualClock(datetime.fromisoformat(START))
    count = 10_000
    one = alarm(clock, {f"j{i}": every(60) for i in range(count)})
    await look(one)
    clock.advance(timedelta(seconds=1))
    for turn in range(1, count // BATCH + 1):
        await look(one)
        assert len(one.marks) == turn * BATCH
    assert len(set(one.marks)) == count


async def test_setting_jobs_anew_arms_the_new_and_forgets_the_old(alarm):
    """A removed job is not marked, a changed one fires by its new schedule, one that fires no more stays quiet."""
    clock = ManualClock(datetime.fromisoformat(START))
    over = Schedule(rule=Once(), start=datetime.fromisoformat("2026-01-01T00:00:00"))
    one = alarm(clock, {"gone": every(60), "moved": every(60), "over": over})
    one.set({"moved": every(60, "2026-03-08T07:00:30"), "over": over})
    assert one.next_fire_time == datetime.fromisoformat("2026-03-08T07:00:30Z")
    clock.advance(timedelta(minutes=5))
    await look(one)
    assert one.marks == ["moved"]


def test_a_trigger_that_raises_is_asked_again_a_minute_later():
    """The guard turns an exception into a log line and a later try: one would end APScheduler's loop for ever."""

    class Raising(BaseTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            raise OverflowError("beyond time")

    now = datetime(2026, 3, 8, tzinfo=UTC)
    with structlog.testing.capture_logs() as lines:
        assert GuardedTrigger("bad", Raising()).get_next_fire_time(None, now) == now + BROKEN_AGAIN
    (line,) = lines
    assert (line["event"], line["job"], line["reason"]) == ("trigger_failed", "bad", "OverflowError: beyond time")
