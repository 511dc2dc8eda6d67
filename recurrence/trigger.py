"""A schedule as an APScheduler trigger; the only module here that knows APScheduler."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from apscheduler.triggers.base import BaseTrigger

from recurrence.fire import next_fire_time

if TYPE_CHECKING:
    from recurrence.schedule import Schedule


class ScheduleTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler 3 has no types
    """Fires at the schedule's fire times, and keeps no state of its own.

    Attributes:
        schedule: What it fires by; anchored, if its rule needs an anchor.
    """

    __slots__ = ("schedule",)

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The fire time after `previous_fire_time`, or after `now` where there is none; aware UTC.

        Like APScheduler's own triggers it gives what came due since the previous fire time, so a caller that
        stays on the past is given each of its fire times in turn.

        Raises:
            ValueError: an instant is naive, or the schedule has no start and needs one.
        """
        return next_fire_time(self.schedule, now if previous_fire_time is None else previous_fire_time)

    def __str__(self) -> str:
        return f"schedule[{self.schedule.rule}]"
