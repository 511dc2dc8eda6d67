"""A schedule in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recurrence.schedule import Schedule


def explain(schedule: Schedule) -> str:
    """One plain English sentence that says what `schedule` does."""
    return f"{schedule.rule}"
