"""What jobs inherit from `defaults:`, and how they take it back."""

from datetime import time, timedelta

from config.definitions import CommandRun, HttpRun, Retry
from recurrence import Cron, Daily, Rerun, Schedule, Weekday, Weekly


def test_blocks_merge_key_by_key(job) -> None:
    """A job changes one key of an inherited block and keeps the others; labels are merged too."""
    top = "defaults: {retry: {attempts: 5, backoff: 1m}, labels: {site: hq, team: it}}"
    found = job("retry: {attempts: 2}\nlabels: {team: audit}", top=top)
    assert found.retry == Retry(attempts=2, backoff=timedelta(minutes=1))
    assert found.labels == {"site": "hq", "team": "audit"}


def test_lists_are_replaced(job) -> None:
    """A list that a job writes stands alone."""
    top = "settings: {limits: {a: 1, b: 1}}\ndefaults: {limits: [a]}"
    assert job(top=top).limits == ("a",)
    assert job("limits: [b]", top=top).limits == ("b",)
    assert job("limits: []", top=top).limits == ()


def test_null_takes_back(job) -> None:
    """null is the key's own default, not what is inherited."""
    top = "defaults: {priority: 5, schedule: {daily: {}, window: 4h}, overlap: queue}"
    assert job("priority: null", top=top).priority == 0
    assert job("schedule: {window: ~}", top=top).schedule == Schedule(rule=Daily(1))
    assert job("schedule: null", top=top).schedule is None
    assert str(job("overlap: null", top=top).overlap) == "skip"


def test_a_kind_replaces_a_kind(job) -> None:
    """A job's own kind of schedule replaces the inherited one; the rest of the schedule stays."""
    top = "defaults: {schedule: {weekly: {every: 2, on: friday}, at: '22:00', window: 4h}}"
    friday = Weekly(2, frozenset({Weekday.FRIDAY}))
    window = timedelta(hours=4)
    assert job(top=top).schedule == Schedule(rule=friday, at=time(22), window=window)
    assert job("schedule: {daily: {every: 3}}", top=top).schedule == Schedule(
        rule=Daily(3), at=time(22), window=window
    )
    assert job("schedule: {weekly: {on: friday}}", top=top).schedule.rule == Weekly(1, frozenset({Weekday.FRIDAY}))
    assert job("schedule: {at: '23:00'}", top=top).schedule == Schedule(rule=friday, at=time(23), window=window)


def test_cron_and_ccs_leave_behind_what_they_cannot_stand_beside(job) -> None:
    """`at` and `dst` are not inherited beside cron, nor what a CCS block says itself beside ccs."""
    top = "defaults: {schedule: {at: '22:00', dst: {fold: last}, window: 4h, rerun: {every: 1d, for: 3d}, timezone: Asia/Tokyo}}"
    cron = job("schedule: {cron: '0 3 * * *'}", top=top).schedule
    assert cron == Schedule(
        rule=Cron("0 3 * * *"),
        zone="Asia/Tokyo",
        window=timedelta(hours=4),
        rerun=Rerun(timedelta(days=1), timedelta(days=3)),
    )
    ccs = job("schedule: {ccs: {RunNow: false, RunPeriodically: true, RecurrenceType: 1}}", top=top).schedule
    assert (ccs.rule, ccs.at, ccs.window, ccs.rerun, ccs.zone) == (Daily(1), None, None, None, "Asia/Tokyo")


def test_runs(job) -> None:
    """The same kind of run is merged, another kind replaces it."""
    top = "defaults: {run: {command: {argv: [uptime], timeout: 1h, env: {A: '1', B: '2'}}}}"
    assert job(top=top, run="{command: {env: {B: '3'}}}").run == CommandRun(
        argv=("uptime",), timeout=timedelta(hours=1), env={"A": "1", "B": "3"}
    )
    assert job(top=top, run='{http: {url: "http://localhost/"}}').run == HttpRun(url="http://localhost/")


def test_a_run_from_defaults_alone(loads) -> None:
    """A job may consist of its name."""
    found = loads("version: 1\ndefaults: {run: {command: {argv: [uptime]}}}\njobs: [{name: a}]\n")
    assert found.jobs["a"].run == CommandRun(argv=("uptime",))


def test_secrets_are_one_whole(job) -> None:
    """An inherited secret is replaced, never mixed with another source."""
    top = 'defaults: {notify: {webhook: {url: "https://a.example.com", token: {env: A}}}}'
    found = job("notify: {webhook: {token: {credential: b}}}", top=top).notify.webhook
    assert (found.url, repr(found.token)) == ("https://a.example.com", "Secret(credential b)")
