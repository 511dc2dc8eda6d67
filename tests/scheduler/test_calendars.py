"""Calendars: excluded occurrences have their rows, moved ones their runs, and runs obey the closures they reach."""

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
    """Inside a closure the occurrence is skipped at its own fire time, with the calendar and the closure's end."""
    one = rig("2026-12-24T12:00:00Z")
    await one.up(text())
    await one.tick(days=2)
    assert rows(one) == [
        ("12-25 10:00", "skipped", 'calendar "freeze": closed until 2026-12-26T00:00:00Z', None),
        ("12-26 10:00", "succeeded", "", None),
    ]


async def test_moved_occurrences_make_one_run(rig, rows) -> None:
    """With on_exclude: next-day, occurrences of several closed days and that of the open day are one run."""
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
    await one.tick(minutes=2, wait=False)
    await one.until(lambda: len(one.runs()) == 1 and one.run().state == "running")
    await one.tick(minutes=2, wait=False)


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
