"""Which job runs are newer than what was known before execute was sent."""

from datetime import UTC, datetime, timedelta

import pytest

from runners.ccs.outcomes import newer_runs
from runners.ccs.wire import JobStatus, Status

SENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def runs(*minutes):
    """Named by their minutes from SENT; None has not started."""
    return [
        JobStatus(
            job_run_id=str(at), job_id="j", status=Status.EXECUTING,
            started_at=None if at is None else SENT + timedelta(minutes=at),
        )
        for at in minutes
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("listed", "baseline", "newer"),
    [
        ((1, -60, -120), "-60", ["1"]),
        ((-120, -60, 1), "-60", ["1"]),  # oldest first
        ((2, 1, -60), "-60", ["1", "2"]),
        ((1, 2, -60), "-60", ["1", "2"]),
        ((-60, -120), "-60", []),
        ((None, -60), "-60", ["None"]),  # not started yet
        ((-60,), "-60", []),
        ((1,), "", ["1"]),
        ((), "", []),
        ((-60, 1), "gone", ["1"]),  # the baseline's history was deleted: by the clock
        ((-4, -6), "gone", ["-4"]),  # clocks of one domain are at most five minutes apart
        ((None, -6), "gone", ["None"]),
        ((0, 0), "0", []),
    ],
)
def test_newer_runs(listed, baseline, newer):
    """By their starts, in whatever order the server lists them; the oldest first."""
    assert [run.job_run_id for run in newer_runs(runs(*listed), baseline=baseline, sent_at=SENT)] == newer
