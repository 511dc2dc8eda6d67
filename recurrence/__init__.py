"""Schedules and their fire times: pure arithmetic on wall times and instants.

`recurrence.ccs` decodes the Schedule block of CCS, `recurrence.trigger` makes APScheduler triggers.
"""

from recurrence.explain import explain
from recurrence.fire import (
    count_occurrences,
    fire_times,
    latest_occurrence,
    next_fire_time,
    next_occurrence,
    occurrences,
)
from recurrence.frequencies import Frequencies, frequency_rule
from recurrence.reruns import rerun_times
from recurrence.schedule import (
    Cron,
    Daily,
    Fold,
    Gap,
    Hourly,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Occurrence,
    Once,
    Ordinal,
    Rerun,
    Rule,
    Schedule,
    ShortMonth,
    Weekday,
    Weekly,
)
from recurrence.spread import spread_offset
from recurrence.zones import resolve_zone

__all__ = [
    "Cron",
    "Daily",
    "Fold",
    "Frequencies",
    "Gap",
    "Hourly",
    "Interval",
    "MonthlyDay",
    "MonthlyOrdinal",
    "Occurrence",
    "Once",
    "Ordinal",
    "Rerun",
    "Rule",
    "Schedule",
    "ShortMonth",
    "Weekday",
    "Weekly",
    "count_occurrences",
    "explain",
    "fire_times",
    "frequency_rule",
    "latest_occurrence",
    "next_fire_time",
    "next_occurrence",
    "occurrences",
    "rerun_times",
    "resolve_zone",
    "spread_offset",
]
