"""Durations, rates, sizes, times and dates as they are written."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("15m", 900), ("4h", 14400), ("1d", 86400), ("1w", 604800), ("1h30m", 5400), ("0s", 0),
        ("1w2d3h4m5s", 788645), ("PT15M", 900), ("P1D", 86400), ("P1W", 604800), ("P1DT2H", 93600), ("PT90S", 90),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: int) -> None:
    """Short forms, combined in falling order, and ISO 8601."""
    assert values.parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "15", "m", "15 m", "30m1h", "1.5h", "-1h", "P", "PT", "P1M", "P1Y", "P1DT", "1H", "1h 30m", "\u0663h", "9999999999s",
     "999999999w", "1h\n"],
)  # fmt: skip
def test_no_durations(text: str) -> None:
    """Anything else is refused, months and years (which have no one length) too."""
    with pytest.raises(ValueError, match=r"(?s).*"):
        values.parse_duration(text)


@given(st.integers(0, 10**9))
def test_durations_round_trip(seconds: int) -> None:
    """What is shown is read back as the same duration."""
    duration = timedelta(seconds=seconds)
    assert values.parse_duration(values.format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "per_second"), [("20/s", 20.0), ("30/m", 0.5), ("3600/h", 1.0), ("0.5/s", 0.5), ("86400/d", 1.0)]
)
def test_rates(text: str, per_second: float) -> None:
    """Rates are per second."""
    assert values.parse_rate(text) == per_second


@pytest.mark.parametrize("text", ["0/s", "20", "20/w", "-1/s", "20 / s", "1e3/s", ""])
def test_no_rates(text: str) -> None:
    """A rate is above zero and has its unit."""
    with pytest.raises(ValueError, match=r"(?s).*"):
        values.parse_rate(text)


@pytest.mark.parametrize(
    ("text", "size"), [("64MiB", 64 << 20), ("10MB", 10**7), ("1 kB", 1000), ("1KiB", 1024), ("5B", 5)]
)
def test_sizes(text: str, size: int) -> None:
    """Sizes are bytes, with units of 1000 and of 1024."""
    assert values.parse_size(text) == size


@given(st.integers(0, 1 << 45))
def test_sizes_round_trip(size: int) -> None:
    """What is shown is read back as the same size."""
    assert values.parse_size(values.format_size(size)) == size


def test_times_and_dates() -> None:
    """Times of day, dates and moments; the fraction of a second is dropped."""
    assert values.parse_time("07:05") == time(7, 5)
    assert values.parse_time("23:59:59") == time(23, 59, 59)
    assert values.parse_date("2028-02-29") == date(2028, 2, 29)
    assert values.parse_moment("2026-01-02T22:00:00.5120788") == datetime.fromisoformat("2026-01-02T22:00")
    offset = values.parse_moment("2026-01-02t22:00:00z").utcoffset()
    assert offset == timedelta(0)


@pytest.mark.parametrize(
    "text", ["24:00", "7:05", "07:60", "0705", "07:05:60", "07:05Z", "\u0660\u0667:\u0660\u0665"]
)
def test_no_times(text: str) -> None:
    """Other texts are no times of day."""
    with pytest.raises(ValueError, match=r"(?s).*"):
        values.parse_time(text)


@given(st.text(max_size=25))
def test_only_value_errors(text: str) -> None:
    """No text makes a parser raise anything but ValueError."""
    parsers = (
        values.parse_duration,
        values.parse_rate,
        values.parse_size,
        values.parse_time,
        values.parse_date,
        values.parse_moment,
    )
    for parser in parsers:
        try:
            parser(text)
        except ValueError:
            continue
