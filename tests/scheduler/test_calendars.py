"""Calendars: excluded occurrences have their rows, moved ones their runs, and runs obey the closures they reach."""

from dataclasses import replace
from datetime import datetime

import pytest

JOB = """
version: 1
calendars:
  freeze: {{dates: [2026-12-25, {{from: 2026-12-28, to: 2026-12-30}}]}}
jobs:
  - name: scan
    schedule: {{daily: , at: "10:00", start: "2026-01-01T00:00", exclude: [freeze]{more}}}
    catch_up: {{policy: {policy}, grace: 400d}}
    run: {{command: {{argv: ["true"]}}}}
"""


def text(more="", policy="latest"):
    """The file, with more keys of the schedule."""
    return JOB.format(more=f", {more}" if more else "", policy=policy)


@pytest.fixture
def rows(rig):
    """A function: the rows of a rig as (fire time, state, reason, moved from)."""

    def told(one):
        return [
            (
                f"{run.fire_time:%m-%d %H:%M}",
                str(run.state),
                run.reason,
                run.moved_from and f"{run.moved_from:%m-%d %H:%M}",
            )
            for run in one.runs()
        ]

    return told


async def test_an_excluded_occurrence_is_a_row(rig, rows) -> None:
    """Inside a closure the occurrence is skipped at its own fire time, with the calendar and the closure's end.

    Rule: exclusions
    """
    one = rig("2026-12-24T12:00:00Z")
    await one.up(text())
    await one.tick(days=2)
    assert rows(one) == [
        ("12-25 10:00", "skipped", 'calendar "freeze": closed until 2026-12-26T00:00:00Z', None),
        ("12-26 10:00", "succeeded", "", None),
    ]


async def test_moved_occurrences_make_one_run(rig, rows) -> None:
    """With on_exclude: next-day, occurrences of several closed days and that of the open day are one run.

    Rule: exclusions
    """
    one = rig("2026-12-27T12:00:00Z")
    await one.up(text("on_exclude: next-day"))
    await one.tick(days=4)
    why = 'calendar "freeze": closed until 2026-12-31T00:00:00Z; moved to 2026-12-31T10:00:00Z'
    assert rows(one) == [
        ("12-28 10:00", "skipped", why, None),
        ("12-29 10:00", "skipped", why, None),
        ("12-30 10:00", "skipped", why, None),
        ("12-31 10:00", "succeeded", "", "12-28 10:00"),
    ]


SLOW = """
version: 1
calendars:
  freeze: {{weekly: [{{on: [monday], from: "00:00", to: "12:00"}}]}}
collectors: {{toy: {{collect: [/bin/sh, -c, "sleep {naps}; echo $1 >> done", collect, "{{asset.id}}"]}}}}
jobs:
  - name: scan
    schedule: {{daily: , at: "23:59", start: "2026-01-01T00:00", exclude: [freeze], on_closure: {policy}{more}}}
    catch_up: {{grace: 1h}}
    retry: {{attempts: 2}}
    run: {{collect: {{type: CollectionJob, parallel: 1, assets: [{{id: a, type: toy}}, {{id: b, type: toy}}]}}}}
"""


async def began(one, policy, *, naps=30, more=""):
    """A rig in which a run of Sunday 23:59 is at work when its calendar closes on Monday 00:00."""
    await one.up(SLOW.format(policy=policy, naps=naps, more=f", {more}" if more else ""))
    await one.tick(minutes=1, wait=False)
    await one.until(lambda: len(one.runs()) == 1 and one.run().state == "running")
    await one.tick(minutes=1, wait=False)


async def test_a_run_is_let_finish(rig) -> None:
    """on_closure: finish, the default: a run that is at work when a closure begins goes on."""
    one = rig("2026-03-01T23:58:00Z")
    await began(one, "finish", naps=0)
    await one.idle()
    assert [(str(run.state), run.attempts) for run in one.runs()] == [("succeeded", 1)]


async def test_a_run_is_held(rig) -> None:
    """on_closure: hold: the run is stopped where the closure begins, keeps its try, and goes on at its end."""
    one = rig("2026-03-01T23:58:00Z")
    await began(one, "hold")
    await one.until(lambda: one.run().state == "retrying")
    run = one.run()
    why = 'calendar "freeze": closed until 2026-03-02T12:00:00Z'
    assert (run.reason, run.tries) == (f"held: {why}: 2 of 2 assets left", 0)
    assert run.retry_at.isoformat() == "2026-03-02T12:00:00+00:00"
    await one.reload(SLOW.format(policy="hold", naps=0, more=""))
    await one.tick(hours=11)
    assert one.run().state == "retrying"
    await one.tick(hours=1, minutes=10)
    assert (one.run().state, one.run().tries, one.run().attempts) == ("succeeded", 1, 2)


MOVED = """
version: 1
calendars:
  freeze: {{dates: [{dates}]}}
jobs:
  - name: scan
    schedule: {{weekly: {{on: friday}}, at: "10:00", start: "2026-01-01T00:00", exclude: [freeze], on_exclude: next-day}}
    run: {{command: {{argv: ["true"]}}}}
"""


async def test_a_moved_occurrence_runs_where_the_schedule_has_none(rig, rows) -> None:
    """A weekly job whose Friday is closed runs on the next open day, woken for it, and says where it is from."""
    one = rig("2026-12-24T12:00:00Z")
    await one.up(MOVED.format(dates="{from: 2026-12-25, to: 2026-12-27}"))
    await one.tick(days=5)
    why = 'calendar "freeze": closed until 2026-12-28T00:00:00Z; moved to 2026-12-28T10:00:00Z'
    assert rows(one) == [("12-25 10:00", "skipped", why, None), ("12-28 10:00", "succeeded", "", "12-25 10:00")]


async def test_a_day_of_the_past_in_a_calendar_fires_nothing(rig, rows) -> None:
    """A calendar that is given a day on which the job has run already moves nothing: no old slot fires."""
    one = rig("2026-12-24T12:00:00Z")
    await one.up(MOVED.format(dates="2026-12-24"))
    await one.tick(days=2)
    await one.reload(MOVED.format(dates="{from: 2026-12-25, to: 2026-12-27}"))
    await one.tick(days=3)
    assert rows(one) == [
        ("12-25 10:00", "succeeded", "", None),
        ("12-28 10:00", "skipped", "not run: what was due at 2026-12-25T10:00:00Z was not moved when it came due",
         "12-25 10:00"),
    ]  # fmt: skip


async def test_a_new_job_owes_nothing(rig, rows) -> None:
    """A job that is first loaded inside a closure does not run what was due before it was known."""
    one = rig("2026-12-26T12:00:00Z")
    await one.up(MOVED.format(dates="{from: 2026-12-25, to: 2026-12-27}"))
    await one.tick(days=3)
    assert [(when, state) for when, state, _, _ in rows(one)] == [("12-28 10:00", "skipped")]


async def test_a_run_is_stopped(rig) -> None:
    """on_closure: stop: what is left is for the next rerun that no closure drops.

    Rule: excluded-rerun
    """
    one = rig("2026-03-01T23:58:00Z")
    await began(one, "stop", more="rerun: {every: 6h, for: 1d}")
    await one.until(lambda: one.run().state == "incomplete")
    assert one.run().reason == 'calendar "freeze": closed until 2026-03-02T12:00:00Z: 2 of 2 assets left'
    await one.reload(SLOW.format(policy="stop", naps=0, more=", rerun: {every: 6h, for: 1d}"))
    await one.tick(hours=17, minutes=50)
    assert (one.run().state, one.run().attempts) == ("incomplete", 1)  # 05:59 and 11:59 are dropped
    await one.tick(minutes=10)
    run = one.run()
    assert (run.state, run.attempts, f"{run.rerun_at:%H:%M}") == ("succeeded", 2, "17:59")


async def test_what_no_rerun_takes_is_told(rig) -> None:
    """Where every rerun that is left lies inside closures, the run expires and says so.

    Rule: excluded-rerun
    """
    one = rig("2026-03-01T23:58:00Z")
    await began(one, "stop", more="rerun: {every: 4h, for: 9h}")
    await one.idle()
    run = one.run()
    assert run.state == "expired"
    assert run.reason.endswith("; what is left of its rerun period lies inside a closure of its calendars")


@pytest.mark.parametrize(("policy", "ended"), [("hold", "succeeded"), ("stop", "missed"), ("finish", "succeeded")])
async def test_what_waits_does_not_start_inside(rig, policy, ended) -> None:
    """A run without room when its calendar closes waits for its end, is missed, or starts where it may finish.

    The time of the closure does not count against the grace of one that is held.
    """
    one = rig("2026-03-01T23:58:00Z")
    text = SLOW.format(policy=policy, naps=0, more="")
    blocked = text.replace("version: 1", "version: 1\nsettings: {limits: {room: 1}}", 1).replace(
        "retry: {", "limits: [room]\n    retry: {"
    )
    blocker = (
        "  - {name: blocker, limits: [room], schedule: {once: true, start: '2026-03-01T23:58:30'},"
        " run: {command: {argv: [/bin/sh, -c, 'until [ -e go ]; do sleep 0.02; done'], env: {PWD: /tmp}}}}\n"
    ).replace("[ -e go ]", f"[ -e {one.folder}/go ]")
    await one.up(blocked + blocker)
    await one.tick(minutes=3, wait=False)
    assert [str(run.state) for run in one.runs("scan")] == (["missed"] if policy == "stop" else ["pending"])
    (one.folder / "go").touch()
    await one.idle()
    assert one.run("scan").state == {"hold": "pending", "stop": "missed", "finish": "succeeded"}[policy]
    await one.tick(hours=12, minutes=1)
    assert one.run("scan").state == ended
    if policy == "stop":
        assert one.run("scan").reason == 'calendar "freeze": closed until 2026-03-02T12:00:00Z'


@pytest.mark.parametrize(
    ("policy", "state"), [("hold", "retrying"), ("stop", "incomplete"), ("finish", "succeeded")]
)
async def test_the_daemon_dies_over_a_run_that_is_being_stopped(rig, policy, state) -> None:
    """What was asked to stop for a closure when the daemon died is held, or left, as it would have been."""
    one = rig("2026-03-01T23:58:00Z")
    more = "rerun: {every: 14h, for: 2d}"
    await one.up(SLOW.format(policy=policy, naps=30, more=f", {more}"))
    await one.tick(minutes=1, wait=False)
    await one.until(lambda: one.runs() and one.run().state == "running")
    await one.crash()
    two = rig("2026-03-02T00:05:00Z")
    await two.up(SLOW.format(policy=policy, naps=0, more=f", {more}"))
    await two.idle()
    assert (two.run().state, two.run().tries) == (state, 1 if state == "succeeded" else two.run().tries)
    if policy == "hold":
        await two.tick(hours=12)
        assert (two.run().state, two.run().attempts) == ("succeeded", 2)


async def test_an_operator_ignores_calendars(rig, operator) -> None:
    """A run asked for inside a closure starts and is not held; so does the attempt of a rerun asked for.

    Rule: manual-trigger
    """
    one = rig("2026-03-01T23:58:00Z")
    await began(one, "stop", more="rerun: {every: 20h, for: 2d}")
    await one.until(lambda: one.run().state == "incomplete")
    await one.reload(SLOW.format(policy="stop", naps=0, more=", rerun: {every: 20h, for: 2d}"))
    await one.control.rerun(one.run().run_id, operator)
    await one.idle()
    assert one.run().state == "succeeded"
    asked = await one.control.trigger("scan", operator)
    await one.settle()
    await one.idle()
    assert [str(run.state) for run in one.runs() if run.run_no == asked.run_no] == ["succeeded"]


async def test_the_closure_ends_work_though_the_ledger_is_busy(rig) -> None:
    """The look at windows, beside the planner's turns, asks what reaches a closure to stop as well."""
    one = rig("2026-03-01T23:58:00Z")
    await one.up(SLOW.format(policy="hold", naps=30, more=""))
    await one.tick(minutes=1, wait=False)
    await one.until(lambda: one.run().state == "running")
    executor = one.dispatcher.executor
    assert executor.overdue(one.clock.now()) == []
    one.clock.set(datetime.fromisoformat("2026-03-02T00:00:00Z"))
    ((_, stop, reason),) = executor.overdue(one.clock.now())
    assert (str(stop), reason) == ("closure", 'calendar "freeze": closed until 2026-03-02T12:00:00Z')
    await one.reload(SLOW.format(policy="finish", naps=30, more=""))
    assert executor.overdue(one.clock.now()) == []


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        ("latest", ["missed", "skipped", "skipped", "skipped", "succeeded"]),
        ("all", ["succeeded", "skipped", "skipped", "skipped", "succeeded"]),
        ("none", ["missed", "skipped", "skipped", "skipped", "missed"]),
    ],
)
async def test_catch_up_after_downtime_over_closures(rig, rows, policy, states) -> None:
    """After downtime excluded occurrences are skipped, and moved ones caught up like occurrences."""
    one = rig("2026-12-26T12:00:00Z")
    await one.up(text("on_exclude: next-day", policy))
    await one.down()
    two = rig("2026-12-31T23:00:00Z")
    await two.up(text("on_exclude: next-day", policy))
    await two.idle()
    assert [state for _, state, _, _ in rows(two)] == states
    assert rows(two)[-1][3] == "12-28 10:00"


async def test_long_downtime_over_closures_is_told_in_stretches(rig) -> None:
    """Many misses and exclusions become one row for each stretch of them, that counts them all."""
    one = rig("2026-12-24T11:00:00Z")
    dense = text("on_exclude: next-day").replace('daily: , at: "10:00",', "interval: 1m,")
    await one.up(dense.replace("grace: 400d", "grace: 1h"))
    await one.down()
    two = rig("2026-12-27T00:00:30Z")
    await two.up(dense.replace("grace: 400d", "grace: 1h"))
    await two.idle()
    told = [(f"{run.fire_time:%d %H:%M}", str(run.state), run.occurrences) for run in two.runs()]
    assert told == [
        ("24 11:01", "missed", 779),
        ("25 00:00", "skipped", 1440),
        ("26 00:00", "missed", 1440),
        ("27 00:00", "succeeded", 1),
    ]
    assert two.runs()[1].reason == (
        'calendar "freeze": closed until 2026-12-26T00:00:00Z; each moved to its next open day'
    )


async def test_a_pause_skips_what_was_moved_too(rig, rows, operator) -> None:
    """In a pause a moved run is skipped like an occurrence, and an excluded one keeps its calendar's reason."""
    one = rig("2026-12-24T12:00:00Z")
    await one.up(MOVED.format(dates="{from: 2026-12-25, to: 2026-12-27}"))
    await one.control.pause("scan", until=None, note=None, actor=operator)
    await one.tick(days=5)
    (skipped, paused) = rows(one)
    assert skipped[2].startswith('calendar "freeze"')
    assert paused == ("12-28 10:00", "skipped", "paused", "12-25 10:00")


@pytest.mark.parametrize(("policy", "end"), [("hold", "11:30"), ("hold", "01:00")])
async def test_a_run_is_held_no_longer_than_it_is_closed(rig, policy, end) -> None:
    """A calendar that ends sooner than when the run was stopped, or holds it no more, lets it go on then."""
    one = rig("2026-03-01T23:58:00Z")
    await began(one, "hold")
    await one.until(lambda: one.run().state == "retrying")
    await one.tick(hours=11, minutes=10)
    await one.reload(SLOW.format(policy=policy, naps=0, more="").replace("12:00", end))
    assert end != "11:30" or one.run().state == "retrying"
    await one.tick(minutes=20)
    assert (one.run().state, one.run().attempts) == ("succeeded", 2)


@pytest.mark.parametrize(("policy", "again"), [("hold", "02 01:00"), ("stop", "02 01:00")])
async def test_a_rerun_that_was_due_before_a_closure_does_not_start_inside(rig, policy, again) -> None:
    """One that comes late, after downtime: on_closure judges its start like that of any run that waits."""
    begin = (
        SLOW.replace("12:00", "01:00").replace("daily: ,", "weekly: {{on: [sunday]}},").replace("23:59", "20:00")
    )
    more = "window: 3h, rerun: {every: 230m, for: 8h}"
    one = rig("2026-03-01T19:59:00Z")
    await one.up(begin.format(policy=policy, naps=30, more=f", {more}"))
    await one.tick(minutes=1, wait=False)
    await one.until(lambda: one.run().state == "running")
    await one.tick(hours=3, wait=False)
    await one.until(lambda: one.run().state == "incomplete")
    await one.down()
    two = rig("2026-03-02T00:10:00Z")
    await two.up(begin.format(policy=policy, naps=0, more=f", {more}"))
    await two.idle()
    await two.tick(minutes=49)
    await two.tick(minutes=1)
    attempts = two.attempts(two.run())
    assert [f"{attempt.started_at:%d %H:%M}" for attempt in attempts] == ["01 20:00", again]
    assert two.run().state == "succeeded"


async def test_a_calendar_that_raises_concerns_its_own_job(rig) -> None:
    """Its jobs are told as broken and fire nothing; what is at work ends all the same, and others go on."""

    class Broken:
        digest = "broken"

        def at(self, instant):
            raise RuntimeError(f"no such day as {instant}")

        following = at

    one = rig("2026-03-01T23:58:00Z")
    other = "  - {name: other, schedule: {daily: , at: '00:30', start: '2026-01-01T00:00'}, run: {command: {argv: ['true']}}}\n"
    await one.up(SLOW.format(policy="hold", naps=1, more=", rerun: {every: 20h, for: 2d}") + other)
    await one.tick(minutes=1, wait=False)
    await one.until(lambda: one.run("scan").state == "running")
    job = one.dispatcher.definitions["scan"]
    one.dispatcher.definitions = {**one.dispatcher.definitions, "scan": replace(job, closures=Broken())}
    assert one.dispatcher.executor.overdue(one.clock.now()) == []
    await one.idle()
    assert one.run("scan").state == "succeeded"
    await one.tick(hours=1)
    assert [str(run.state) for run in one.runs("other")] == ["succeeded"]
