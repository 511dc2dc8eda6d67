"""Rerun times asked from an instant on: the same ones, without walking those before."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from recurrence import Fold, Gap, Occurrence, Rerun, Schedule, rerun_times

CIVIL = datetime(2026, 10, 30, 1, 30)
FIRED = datetime(2026, 10, 30, 5, 30, tzinfo=UTC)
RUN = Occurrence(FIRED, CIVIL)


def schedule(every, period, **more):
    """Reruns in New York."""
    return Schedule(rule=None, zone="America/New_York", rerun=Rerun(every, period), **more)


@settings(max_examples=200, deadline=None)
@given(
    hours=st.sampled_from([1, 5, 23, 24, 25, 48]),
    count=st.integers(2, 40),
    after=st.integers(-100, 2000),
    gap=st.sampled_from(Gap),
    offset=st.sampled_from([0, 77]),
)
def test_from_an_instant_on_they_are_the_same(hours, count, after, gap, offset):
    """Whatever the instant, what comes after it is what a walk from the first finds."""
    asked = schedule(
        timedelta(hours=hours), timedelta(hours=hours * count), gap=gap, offset=timedelta(seconds=offset)
    )
    instant = FIRED + timedelta(hours=after)
    walked = [due for due in rerun_times(asked, RUN) if due > instant]
    assert list(rerun_times(asked, RUN, after=instant)) == walked


def test_a_far_instant_costs_no_walk():
    """Every second for a thousand days: the first one after 999 days is found at once."""
    asked = schedule(timedelta(seconds=1), timedelta(days=1000))
    instant = FIRED + timedelta(days=999)
    assert next(rerun_times(asked, RUN, after=instant)) == instant + timedelta(seconds=1)


def test_a_fold_follows_the_schedule():
    """01:30 exists twice on 1 November: the first pass by default and for both, the last where it says last.

    Rule: fold-both-reruns
    """
    second = {
        fold: list(rerun_times(schedule(timedelta(days=1), timedelta(days=4), fold=fold), RUN))[1] for fold in Fold
    }
    assert second == {
        Fold.FIRST: datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        Fold.LAST: datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
        Fold.BOTH: datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    }
