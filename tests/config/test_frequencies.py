"""SDE's frequencies: when they fire by default, by settings, spread, and where clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from config.schedules import frequency_schedule
from config.settings import Settings
from recurrence import Schedule, fire_times, spread_offset

FREQUENCIES = ("hourly", "daily", "weekly", "monthly")
BEGIN, END = datetime(2026, 11, 23, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)


@pytest.fixture
def fires(loads):
    """When jobs of these schedules fire in a span: (settings, a schedule, begin, end) -> instants in UTC."""

    def one(settings: str, schedule: str, begin: datetime = BEGIN, end: datetime = END) -> list[str]:
        text = f"version: 1\nsettings: {settings}\njobs:\n- name: x\n  schedule: {schedule}\n  run: {{command: {{argv: [a]}}}}\n"
        found = loads(text).jobs["x"].schedule
        assert found is not None
        return [f"{instant:%Y-%m-%dT%H:%M:%S}" for instant in fire_times(found, begin, end)]

    return one


DEFAULTS = {
    "hourly": ("2026-11-23T00:07:00", "2026-11-23T01:07:00"),
    "daily": ("2026-11-23T01:26:00", "2026-11-24T01:26:00"),
    "weekly": ("2026-11-28T04:33:00", "2026-12-05T04:33:00"),
    "monthly": ("2026-12-01T04:26:00", "2027-01-01T04:26:00"),
}


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_the_times_by_default(frequency: str, fires) -> None:
    """Those of SD Elements' own deployment chart."""
    assert tuple(fires("{}", f"{{frequency: {frequency}}}")[:2]) == DEFAULTS[frequency]


SET = {
    ("hourly", "{minute: 59}"): "2026-11-23T00:59:00",
    ("hourly", "{minute: 0}"): "2026-11-23T01:00:00",
    ("daily", '{at: "00:00:30"}'): "2026-11-23T00:00:30",
    ("weekly", "{on: monday}"): "2026-11-23T04:33:00",
    ("weekly", '{at: "23:59"}'): "2026-11-28T23:59:00",
    ("monthly", "{day: 31}"): "2026-11-30T04:26:00",
    ("monthly", '{at: "12:00"}'): "2026-12-01T12:00:00",
}


@pytest.mark.parametrize(("frequency", "value"), SET)
def test_every_setting_moves_its_frequency_and_no_other(frequency: str, value: str, fires) -> None:
    """Each key of settings.frequencies, with the others at their defaults."""
    settings = f"{{frequencies: {{{frequency}: {value}}}}}"
    assert fires(settings, f"{{frequency: {frequency}}}")[0] == SET[frequency, value]
    for other in set(FREQUENCIES) - {frequency}:
        assert tuple(fires(settings, f"{{frequency: {other}}}")[:2]) == DEFAULTS[other]


def test_manually_never_fires(fires) -> None:
    """By itself, spread or not."""
    assert fires("{frequencies: {spread: 1h}}", "{frequency: manually}") == []


@pytest.mark.parametrize(
    ("schedule", "settings", "begin", "expected"),
    [
        # New York's clocks go back at 06:00Z: 01:07 is there at 05:07Z and at 06:07Z
        ("{frequency: hourly}", "", "2026-11-01T04:00", ["04:07:00", "05:07:00", "06:07:00", "07:07:00"]),
        ("{frequency: daily}", "", "2026-11-01T04:00", ["05:26:00"]),
        ("{frequency: daily, dst: {fold: both}}", "", "2026-11-01T04:00", ["05:26:00", "06:26:00"]),
        # … and forward at 07:00Z: from 01:07 to 03:07 an hour passes
        ("{frequency: hourly}", "", "2026-03-08T05:00", ["05:07:00", "06:07:00", "07:07:00", "08:07:00"]),
        (
            "{frequency: daily}",
            ', frequencies: {daily: {at: "02:30"}}',
            "2026-03-08T05:00",
            ["07:30:00"],
        ),
    ],
)
def test_where_clocks_change(schedule: str, settings: str, begin: str, expected: list[str], fires) -> None:
    """Hourly fires in both hours of a fold; the others by the policy of their schedule."""
    start = datetime.fromisoformat(f"{begin}+00:00")
    found = fires(f"{{timezone: America/New_York{settings}}}", schedule, start, start + timedelta(hours=4))
    assert [instant.partition("T")[2] for instant in found] == expected


def test_hourly_with_a_spread_fires_in_both_hours_of_a_fold(fires) -> None:
    """Each an hour after the one before, its own share later.

    Rule: spread
    """
    start = datetime(2026, 11, 1, 3, tzinfo=UTC)
    zone = "{timezone: America/New_York, frequencies: {spread: 20m}}"
    found = [
        datetime.fromisoformat(t) for t in fires(zone, "{frequency: hourly}", start, start + timedelta(hours=6))
    ]
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(hours=1)}
    share = spread_offset("x", timedelta(minutes=20))
    assert share > timedelta(0)
    assert found[1] == datetime(2026, 11, 1, 4, 7) + share


SHARE = spread_offset("x", timedelta(minutes=20))


@pytest.mark.parametrize(
    ("schedule", "offset"),
    [
        ("{frequency: daily}", SHARE),
        ("{frequency: manually}", SHARE),
        ("{frequency: daily, spread: null}", SHARE),
        ("{frequency: daily, spread: 0s}", timedelta(0)),
        ("{frequency: daily, spread: 2h}", spread_offset("x", timedelta(hours=2))),
        ("{daily: , at: '01:26'}", timedelta(0)),
        ("{cron: '0 1 * * *'}", timedelta(0)),
        ("{ccs: {RunNow: false}}", timedelta(0)),
    ],
)
def test_the_spread_of_the_settings_is_for_frequencies(schedule: str, offset: timedelta, job) -> None:
    """It is the default of `schedule.spread` where there is a frequency, and nowhere else."""
    found = job(f"schedule: {schedule}", top="settings: {frequencies: {spread: 20m}}").schedule
    assert found.offset == offset


def test_an_inherited_spread_goes_before_the_settings(loads) -> None:
    """`defaults:` are written for jobs; the settings are what is left."""
    text = (
        "version: 1\nsettings: {frequencies: {spread: 20m}}\ndefaults: {schedule: {spread: 2h}}\n"
        "jobs: [{name: x, schedule: {frequency: daily}, run: {command: {argv: [a]}}}]\n"
    )
    assert loads(text).jobs["x"].schedule.offset == spread_offset("x", timedelta(hours=2))


def test_jobs_of_one_frequency_do_not_fire_at_once(loads) -> None:
    """Each has a share of its own, the same at every load."""
    jobs = "".join(
        f"- {{name: c-{n}, schedule: {{frequency: daily}}, run: {{command: {{argv: [a]}}}}}}\n" for n in range(50)
    )
    text = f"version: 1\nsettings: {{frequencies: {{spread: 1h}}}}\njobs:\n{jobs}"
    shares = {name: one.schedule.offset for name, one in loads(text).jobs.items()}
    assert len(set(shares.values())) > 40
    assert all(timedelta(0) <= share < timedelta(hours=1) for share in shares.values())
    assert shares == {name: one.schedule.offset for name, one in loads(text).jobs.items()}


@pytest.mark.parametrize("frequency", [*FREQUENCIES, "manually"])
def test_a_schedule_of_a_frequency_alone_is_that_of_the_file(frequency: str, job, loads) -> None:
    """What the SDE face makes of a connection, and what a job of the file is, fire at the same times."""
    top = 'settings: {timezone: Asia/Tokyo, frequencies: {spread: 20m, monthly: {day: 3}, daily: {at: "05:00"}}}'
    of_file = job(f"schedule: {{frequency: {frequency}}}", top=top).schedule
    assert frequency_schedule(frequency, "x", loads(f"version: 1\n{top}").settings) == of_file


def test_a_frequency_alone_that_is_none_is_refused() -> None:
    """And by default there is no spread."""
    assert frequency_schedule("daily", "x", Settings()).offset == timedelta(0)
    with pytest.raises(ValueError, match="'yearly' is no frequency"):
        frequency_schedule("yearly", "x", Settings())
    assert isinstance(frequency_schedule("manually", "x", Settings()), Schedule)
