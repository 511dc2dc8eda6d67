"""examples/calendars.yaml: valid without a remark, and its calendars close what its comments say."""

from datetime import UTC, datetime
from pathlib import Path

from config import lint, load
from recurrence.timetable import Timetable

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "calendars.yaml"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_example_is_sound() -> None:
    """Nothing is odd in it; the Friday of the freeze is moved behind it and behind the holiday."""
    found = load(EXAMPLE)
    assert [*found.warnings, *lint(found, now=NOW)] == []
    report = found.jobs["weekly-report"].timetable
    assert isinstance(report, Timetable)
    rows = list(report.judged(datetime(2026, 12, 4, 12, tzinfo=UTC), datetime(2027, 1, 8, 12, tzinfo=UTC)))
    told = [(f"{one.fire_time:%m-%d %H:%M}", one.closure and one.closure.title, one.moved_to) for one in rows]
    behind = datetime(2027, 1, 4, 6, tzinfo=UTC)
    assert told == [
        ("12-11 06:00", None, None),  # the dinner is transparent
        ("12-18 06:00", None, None),
        ("12-25 06:00", "Year-end freeze", behind),
        ("01-01 06:00", "Year-end freeze", behind),
        ("01-04 06:00", None, None),
        ("01-08 06:00", None, None),
    ]
    assert rows[-2].moved_from == rows[2].fire_time


def test_the_scan_is_held_over_the_trading_hours() -> None:
    """It fires at night, and the closure that it reaches is that of the next working day."""
    job = load(EXAMPLE).jobs["nightly-scan"]
    closure = job.closures.following(datetime(2026, 12, 1, 21, tzinfo=UTC), datetime(2026, 12, 2, 21, tzinfo=UTC))
    assert closure is not None
    assert (closure.calendar, closure.start, closure.end) == (
        "trading-hours", datetime(2026, 12, 2, 7, tzinfo=UTC), datetime(2026, 12, 2, 17, tzinfo=UTC),
    )  # fmt: skip
