"""What dates, weekly spans and holidays close, in the job's zone, and how it is put together."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import ConfigError, loads
from config.calendars.expanded import Expanded, NamedCalendar, foretell
from recurrence.closures import ALWAYS_OPEN

JOBS = """
version: 1
calendars:
{calendars}
jobs:
  - name: job
    schedule: {{daily: , at: "12:00", timezone: {zone}, exclude: [{names}]}}
    run: {{command: {{argv: ["true"]}}}}
"""


def closures(calendars, *, zone="UTC", names="a"):
    """The closures of a job that excludes `names`."""
    lines = "\n".join(f"  {name}: {{{block}}}" for name, block in calendars.items())
    return (
        loads(JOBS.format(calendars=lines, zone=zone, names=names), file="x", folder=Path("/"))
        .jobs["job"]
        .closures
    )


def all_of(found, since, until):
    """(calendar, title, start, end) of the closures that begin in that time, as texts."""
    told, low, high = [], datetime.fromisoformat(since), datetime.fromisoformat(until)
    while (one := found.following(low, high)) is not None:
        told.append((one.calendar, one.title, f"{one.start:%m-%dT%H:%M}", f"{one.end:%m-%dT%H:%M}"))
        low = one.start
    return told


def test_dates_are_whole_days_of_the_jobs_zone() -> None:
    """Both ends of a span are closed; days that touch are one closure; a day may have 23 hours."""
    dates = {"a": "dates: [2026-12-24, 2026-12-25, {from: 2026-12-28, to: 2026-12-29}, 2026-03-29]"}
    assert all_of(closures(dates, zone="Europe/Berlin"), "2026-01-01T00:00Z", "2027-01-01T00:00Z") == [
        ("a", "", "03-28T23:00", "03-29T22:00"),
        ("a", "", "12-23T23:00", "12-25T23:00"),
        ("a", "", "12-27T23:00", "12-29T23:00"),
    ]
    found = closures(dates)
    inside = found.at(datetime(2026, 12, 24, tzinfo=UTC))
    assert inside == found.at(datetime(2026, 12, 25, 23, 59, 59, 999999, tzinfo=UTC))
    assert inside is not None
    assert found.at(datetime(2026, 12, 26, tzinfo=UTC)) is None
    assert found.at(inside.start - timedelta(microseconds=1)) is None


def test_weekly_spans_go_into_the_next_day_and_follow_the_clocks() -> None:
    """A night is one span; where clocks change it is an hour shorter or longer; a day without times is whole."""
    nights = {"a": 'weekly: [{on: [saturday], from: "22:00", to: "06:00"}, {on: wednesday}]'}
    assert all_of(closures(nights, zone="Europe/Berlin"), "2026-03-25T12:00Z", "2026-04-02T00:00Z") == [
        ("a", "", "03-28T21:00", "03-29T04:00"),
        ("a", "", "03-31T22:00", "04-01T22:00"),
    ]
    twice = closures({"a": 'weekly: [{on: sunday, from: "02:30", to: "02:45"}]'}, zone="Europe/Berlin")
    assert all_of(twice, "2026-10-24T00:00Z", "2026-10-26T00:00Z") == [("a", "", "10-25T00:30", "10-25T01:45")]
    left_out = closures({"a": 'weekly: [{on: sunday, from: "02:30", to: "03:30"}]'}, zone="Europe/Berlin")
    assert all_of(left_out, "2026-03-28T00:00Z", "2026-03-30T00:00Z") == [("a", "", "03-29T01:00", "03-29T01:30")]


def test_calendars_of_a_job_are_put_together() -> None:
    """What overlaps or touches is one closure, named after the calendar that closes first, of two the first named."""
    both = {"a": "dates: [2026-12-25]", "b": "dates: [2026-12-24, {from: 2026-12-25, to: 2026-12-26}]"}
    year = ("2026-01-01T00:00Z", "2027-01-01T00:00Z")
    assert all_of(closures(both, names="a, b"), *year) == [("b", "", "12-24T00:00", "12-27T00:00")]
    same = {"a": "dates: [2026-05-01]", "b": "dates: [2026-05-01]"}
    assert all_of(closures(same, names="b, a"), *year) == [("b", "", "05-01T00:00", "05-02T00:00")]


def test_a_closure_over_the_end_of_a_year_is_told_whole() -> None:
    """Whatever instant is asked for, it begins and ends where it does, also over several years."""
    long = closures({"a": "dates: [{from: 2026-12-30, to: 2027-01-01}, {from: 2027-01-02, to: 2029-03-01}]"})
    days = [datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 7, 1, tzinfo=UTC)]
    found = {(one.start, one.end) for day in days if (one := long.at(day))}
    assert found == {(datetime(2026, 12, 30, tzinfo=UTC), datetime(2029, 3, 2, tzinfo=UTC))}
    every = "[monday, tuesday, wednesday, thursday, friday, saturday, sunday]"
    weeks = closures({"a": f"weekly: [{{on: {every}}}]"})
    never = weeks.at(datetime(2026, 7, 1, tzinfo=UTC))
    assert never is not None  # that never opens has an end all the same, so that no search is without one
    assert timedelta(days=3000) < never.end - datetime(2026, 7, 1, tzinfo=UTC) < timedelta(days=4500)


def test_holidays_have_names_days_in_lieu_and_parts_of_countries(monkeypatch) -> None:
    """By ISO code, with titles in English whatever the host speaks; those of a part only where it is named."""
    monkeypatch.setenv("LANGUAGE", "de")
    june = ("2026-06-01T00:00Z", "2026-06-30T00:00Z")
    assert all_of(closures({"a": "countries: [DE-BY]"}, zone="Europe/Berlin"), *june) == [
        ("a", "Corpus Christi", "06-03T22:00", "06-04T22:00")
    ]
    assert all_of(closures({"a": "countries: [DE]"}), *june) == []
    july = all_of(closures({"a": "countries: [US]"}), "2026-07-01T00:00Z", "2026-07-10T00:00Z")
    assert [start for _, _, start, _ in july] == ["07-03T00:00"]
    assert (july[0][1], july[0][3]) == ("Independence Day (observed)", "07-05T00:00")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("XX", '"XX" is no country whose holidays are known; write its ISO 3166 code, such as DE or US-NY'),
        ("DE-XX", '"XX" is no part of DE; write one of DE-BB, DE-BE, '),
        ("MC-XX", "the holidays of MC are the same everywhere; write MC"),
    ],
)
def test_an_unknown_country_is_a_fault_at_its_place(code, message) -> None:
    """With file, line and column of the item, and what may be written."""
    with pytest.raises(ConfigError) as refused:
        closures({"a": f"dates: [2026-01-01], countries: [DE, {code}]"})
    assert str(refused.value).startswith(f"x:4:44: calendars.a.countries: {message}")


def test_the_digest_tells_what_closes_the_same() -> None:
    """Equal text, equal digest; another day, zone, name or order has another; nothing excluded has none."""
    one = {"a": "dates: [2026-12-24]"}
    other = {"a": "dates: [2026-12-25]"}
    assert closures(one).digest == closures(dict(one)).digest != ""
    digests = {closures(one).digest, closures(other).digest, closures(one, zone="Europe/Berlin").digest}
    digests |= {closures({"b": "dates: [2026-12-24]"}, names="b").digest, closures(one, names="").digest}
    assert len(digests) == 5
    assert closures(one, names="").digest == ""


def test_jobs_share_what_is_told_of_their_calendars() -> None:
    """Jobs of one zone that name the same calendars have one object; what it told is kept."""
    text = JOBS.format(calendars="  a: {countries: [DE]}", zone="UTC", names="a")
    job = text[text.index("  - name") :]
    more = "".join(job.replace("job", f"job-{number}") for number in range(3))
    found = loads(text + more, file="x", folder=Path("/")).jobs.values()
    assert len({id(one.closures) for one in found}) == 1


HOURS = st.integers(-30, 24 * 400)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.lists(HOURS, min_size=1, max_size=20))
def test_at_and_following_agree_with_the_days(numbers, hours) -> None:
    """An instant is closed where its day is listed; a closure begins at a listed day behind one that is not."""
    first = datetime(2026, 6, 1, tzinfo=UTC)
    days = sorted({first + timedelta(days=number) for number in numbers})
    found = closures({"a": f"dates: [{', '.join(f'{day:%Y-%m-%d}' for day in days)}]"})
    begins = days[:1] + [after for before, after in pairwise(days) if after - before > timedelta(days=1)]
    for hour in hours:
        instant = first + timedelta(hours=hour)
        midnight = instant.replace(hour=0)
        assert (found.at(instant) is not None) == (midnight in days)
        coming = found.following(instant, instant + timedelta(days=500))
        later = [begin for begin in begins if begin > instant]
        assert (coming and coming.start) == (later[0] if later else None)


def test_what_is_told_ahead_is_not_asked_again() -> None:
    """For a year on, once for all jobs of a calendar; one that raises is left to its own jobs."""

    class Counted:
        digest = "counted"
        asked = 0

        def spans(self, zone, first, last):
            del zone, first, last
            self.asked += 1
            return ()

    class Broken(Counted):
        def spans(self, zone, first, last):
            raise RuntimeError(f"{zone} {first} {last}")

    counted, now = Counted(), datetime(2026, 6, 1, tzinfo=UTC)
    of_job = Expanded("UTC", [NamedCalendar("a", (counted,))])
    foretell([Expanded("UTC", [NamedCalendar("b", (Broken(),))]), of_job, of_job, ALWAYS_OPEN], now)
    assert counted.asked == 2
    assert of_job.at(now) is None
    assert of_job.following(now, now + timedelta(days=366)) is None
    assert counted.asked == 2
