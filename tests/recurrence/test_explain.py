"""One plain sentence for every kind and policy."""

from datetime import datetime, time, timedelta

import pytest

from recurrence import (
    Cron,
    Daily,
    Fold,
    Gap,
    Hourly,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Once,
    Ordinal,
    Rerun,
    Schedule,
    ShortMonth,
    Weekday,
    Weekly,
    explain,
)
from recurrence.explain import span

START = datetime(2026, 1, 2, 22)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TABLE = [
    (Schedule(rule=None), "Never by itself."),
    (Schedule(rule=None, run_now=True, window=HOUR), "Once, when it is first recorded, each run for up to 1 hour."),
    (Schedule(rule=Once(), start=START, zone="Asia/Tokyo"), "Once, on Friday 2 January 2026 at 22:00 (Asia/Tokyo)."),
    (Schedule(rule=Once()), "Once, at its start (UTC)."),
    (Schedule(rule=Daily(), at=time(1, 26)), "Every day at 01:26 (UTC)."),
    (Schedule(rule=Daily()), "Every day at its start's time of day (UTC)."),
    (Schedule(rule=Daily(3), start=START, window=4 * HOUR, rerun=Rerun(DAY, 3 * DAY)),
     ("Every 3 days at 22:00 (UTC), from Friday 2 January 2026, each run for up to 4 hours, "
     "what is left rerun every day for 3 days.")),
    (Schedule(rule=Weekly(1, frozenset({Weekday.FRIDAY})), start=START, run_now=True),
     "Every week on Friday at 22:00 (UTC), from Friday 2 January 2026, and once when it is first recorded."),
    (Schedule(rule=Weekly(2, frozenset({Weekday.MONDAY, Weekday.SUNDAY, Weekday.FRIDAY})), at=time(7, 30, 15),
              until=datetime(2027, 1, 1, 23, 59, 59)),
     "Every 2 weeks on Sunday, Monday and Friday at 07:30:15 (UTC), until Friday 1 January 2027."),
    (Schedule(rule=MonthlyDay(1, 15), at=time(0), until=START),
     "Every month on day 15 at 00:00 (UTC), until Friday 2 January 2026 at 22:00."),
    (Schedule(rule=MonthlyDay(3, 31), start=START),
     "Every 3 months on day 31 or the last day of a shorter month at 22:00 (UTC), from Friday 2 January 2026."),
    (Schedule(rule=MonthlyDay(1, 30), at=time(1), short_month=ShortMonth.SKIP, gap=Gap.SKIP, fold=Fold.BOTH),
     ("Every month on day 30, not in shorter months, at 01:00 (UTC), left out where clocks go forward over it, "
     "both times where clocks go back over it.")),
    (Schedule(rule=MonthlyOrdinal(1, Ordinal.LAST, Weekday.FRIDAY), at=time(22), fold=Fold.LAST,
              offset=timedelta(seconds=200)),
     ("Every month on the last Friday at 22:00 (UTC), the second time where clocks go back over it, "
     "moved by 3 minutes 20 seconds for this job.")),
    (Schedule(rule=Interval(timedelta(minutes=15)), start=START, rerun=Rerun(timedelta(seconds=90), 2 * HOUR)),
     ("Every 15 minutes of elapsed time (UTC), from Friday 2 January 2026 at 22:00, "
     "what is left rerun every 1 minute 30 seconds for 2 hours.")),
    (Schedule(rule=Interval(HOUR)), "Every hour of elapsed time (UTC)."),
    (Schedule(rule=Hourly(7), zone="Europe/Berlin"), "Every hour at minute 7 (Europe/Berlin)."),
    (Schedule(rule=Cron("30 2 * * 1-5")), "At 02:30 on Monday through Friday (UTC, cron text '30 2 * * 1-5')."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("schedule", "sentence"), TABLE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_sentence(schedule, sentence):
    """The sentence says the rule, time, zone, limits, policies that are not the default, window and reruns."""
    assert explain(schedule) == sentence


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(weeks=2), "2 weeks"),
        (timedelta(days=10), "10 days"),
        (timedelta(days=1, hours=2, seconds=1), "1 day 2 hours 1 second"),
        (timedelta(milliseconds=5), "less than a second"),
    ],
)
def test_span(length, words):
    """A length of time in its largest whole units; weeks only where nothing is left over."""
    assert span(length) == words
