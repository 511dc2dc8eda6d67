"""CCS blocks over six zones, with the fire times that a day-by-day walk of somebody else's found."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from recurrence import fire_times, next_fire_time
from recurrence.ccs import decode_schedule_block
from recurrence.trigger import ScheduleTrigger

VECTORS = [json.loads(line) for line in Path(__file__).with_name("vectors.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_block_fires_as_the_vector_says(case):
    """A block's fire times after an instant, asked one by one, all at once, and through the trigger."""
    schedule = decode_schedule_block(case["block"], zone=case["zone"], weekday_codec=case["weekday_codec"])
    after = datetime.fromisoformat(case["after"])
    expected = [datetime.fromisoformat(text) for text in case["expect"]]
    trigger, one_by_one, triggered = ScheduleTrigger(schedule), [after], [after]
    for _ in expected:
        one_by_one.append(next_fire_time(schedule, one_by_one[-1]))
        triggered.append(trigger.get_next_fire_time(triggered[-1], after))
    assert one_by_one[1:] == expected
    assert triggered[1:] == expected
    assert list(fire_times(schedule, after, expected[-1])) == expected


def test_all_vectors_are_here():
    """The file holds all 400 cases, so that a cut copy is noticed."""
    assert len(VECTORS) == 400
