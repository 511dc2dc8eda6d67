"""Bodies and digests of definitions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import config
from recurrence.portable import schedule_from_json


@pytest.fixture(scope="module")
def everything() -> config.Configuration:
    """The example of the interfaces page."""
    return config.load(Path(__file__).parent / "data" / "interfaces.yaml")


def test_body_is_json(everything: config.Configuration) -> None:
    """Every definition's body is plain JSON, and its schedule can be read back from it."""
    for job in everything.jobs.values():
        body = json.loads(json.dumps(job.body()))
        assert body == job.body()
        if job.schedule is not None:
            assert schedule_from_json(body["schedule"]) == job.schedule


def test_a_whole_body(job) -> None:
    """The body of a small job, in full."""
    found = job('schedule: {interval: 15m, start: "2026-01-01T00:00"}\nlabels: {team: audit}')
    assert found.body() == {
        "name": "x",
        "description": "",
        "schedule": {
            "rule": ["interval", 900.0], "zone": "UTC", "start": "2026-01-01T00:00:00", "at": None, "until": None,
            "gap": "shift", "fold": "first", "short_month": "last-day", "offset": 0.0, "window": None, "rerun": None,
            "run_now": False,
        },
        "exclude": [],
        "on_exclude": "skip",
        "closures": "",
        "on_closure": "finish",
        "run": {
            "kind": "command", "argv": ["uptime"], "stdin": None, "env": {}, "success": [0], "timeout": None,
            "run_as": None,
        },
        "retry": {"attempts": 1, "backoff": 30.0, "max_backoff": 600.0, "jitter": 0.0},
        "overlap": "skip",
        "catch_up": {"policy": "latest", "grace": 21600.0},
        "limits": [],
        "priority": 0,
        "labels": {"team": "audit"},
        "idempotent": False,
        "notify": {"success": None, "failure": None, "late": None, "webhook": None, "heartbeat": None},
        "enabled": True,
    }  # fmt: skip


def test_digest(job) -> None:
    """A digest changes with the meaning: not with the place, nor with how a value is written."""
    one = job("schedule: {interval: 90s}\nlabels: {a: x, b: y}")
    same = job("labels: {b: y, a: x}\nschedule: {interval: PT1M30S}", top="# a line more")
    assert one.digest() == same.digest()
    assert len(one.digest()) == 64
    assert one.digest() != job("schedule: {interval: 91s}\nlabels: {a: x, b: y}").digest()
    assert one.digest() == replace(one, place="elsewhere:1").digest()


@pytest.mark.parametrize(
    "line",
    [
        "priority: 1",
        "enabled: false",
        "description: new",
        "retry: {attempts: 2}",
        "labels: {a: b}",
        "overlap: allow",
    ],
)
def test_edits_that_leave_the_schedule(job, line: str) -> None:
    """Editing anything but the schedule and its calendars leaves the schedule's digest."""
    before = job("schedule: {daily: {}}")
    after = job(f"schedule: {{daily: {{}}}}\n{line}")
    assert before.digest() != after.digest()
    assert before.schedule_digest() == after.schedule_digest()


@pytest.mark.parametrize(
    "schedule",
    [
        "{daily: {every: 2}}",
        "{daily: {}, window: 4h}",
        "{daily: {}, exclude: [c]}",
        "{daily: {}, timezone: Asia/Tokyo}",
    ],
)
def test_edits_of_the_schedule(job, schedule: str) -> None:
    """Editing the schedule or its calendars changes both digests."""
    top = "calendars: {c: {dates: [2026-01-01]}}"
    before, after = job("schedule: {daily: {}}", top=top), job(f"schedule: {schedule}", top=top)
    assert before.digest() != after.digest()
    assert before.schedule_digest() != after.schedule_digest()
