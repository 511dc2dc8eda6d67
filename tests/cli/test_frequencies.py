"""What the offline commands tell of jobs with a frequency: the settings' times, and each job's own share of the spread."""

import json
from datetime import datetime, timedelta

import pytest

from recurrence import spread_offset

HEAD = """version: 1
settings:
  timezone: America/New_York
  frequencies: {hourly: {minute: 30}, daily: {at: "02:00"}, spread: 20m}
"""
JOBS = """\
  - {name: a, schedule: {frequency: daily}, run: &run {command: {argv: ["true"]}}}
  - {name: b, schedule: {frequency: daily}, run: *run}
  - {name: c, schedule: {frequency: daily, spread: 0s}, run: *run}
  - {name: hours, schedule: {frequency: hourly}, run: *run}
"""
SHARES = {name: spread_offset(name, timedelta(minutes=20)) for name in ("a", "b", "hours")} | {"c": timedelta(0)}


@pytest.fixture
def path(jobs_yaml):
    """A file with a spread."""
    return jobs_yaml(JOBS, HEAD)


def test_next_has_each_jobs_own_time(jobsd, path):
    """The frequency's time and the job's share; none where the job says so itself."""
    assert len(set(SHARES.values())) == 4
    told = json.loads(
        jobsd("next", "-c", path, "a", "b", "c", "-n", "1", "--after", "2026-12-01T05:00Z", "--json").stdout
    )
    at = datetime.fromisoformat("2026-12-01T02:00:00-05:00")
    assert {one["job"]: datetime.fromisoformat(one["local"]) - at for one in told} == {
        name: SHARES[name] for name in "abc"
    }


def test_hourly_comes_twice_where_clocks_go_back(jobsd, path):
    """At 01:30 of either offset, each with the job's share."""
    told = json.loads(
        jobsd("next", "-c", path, "hours", "-n", "3", "--after", "2026-11-01T05:00Z", "--json").stdout
    )
    share = SHARES["hours"]
    assert [str(datetime.fromisoformat(one["local"]) - share) for one in told] == [
        "2026-11-01 01:30:00-04:00", "2026-11-01 01:30:00-05:00", "2026-11-01 02:30:00-05:00",
    ]  # fmt: skip


def test_explain_says_the_share(jobsd, path):
    """In words; nothing where there is none."""
    minutes, seconds = divmod(int(SHARES["a"].total_seconds()), 60)
    assert jobsd("explain", "-c", path, "a").stdout == (
        f"Every day at 02:00 (America/New_York), moved by {minutes} minutes {seconds} seconds for this job.\n"
    )
    assert jobsd("explain", "-c", path, "c").stdout == "Every day at 02:00 (America/New_York).\n"


def test_simulate_fires_apart(jobsd, path):
    """Jobs of one frequency are not in one minute."""
    told = json.loads(jobsd("simulate", "-c", path, "--from", "2026-12-01", "--to", "2026-12-01", "--json").stdout)
    fires = {one["job"]: one["fire_time"] for one in told["fires"] if one["job"] in "abc"}
    at = datetime.fromisoformat("2026-12-01T07:00:00+00:00")
    assert {name: datetime.fromisoformat(fire) - at for name, fire in fires.items()} == {
        name: SHARES[name] for name in "abc"
    }
