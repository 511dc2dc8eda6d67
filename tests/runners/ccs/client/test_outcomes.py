"""The reason that is given for a job run's end, where the server says several things."""

import pytest

from runners.ccs.outcomes import outcome_of
from runners.ccs.wire import JobStatus, Status

SAID = {"custom_status_text": "text", "exception": "exception", "summary": "summary"}


@pytest.mark.parametrize(
    ("status", "left_out", "told"),
    [
        (Status.FAULTED, (), "exception"),
        (Status.FAULTED, ("exception", "custom_status_text"), "summary"),
        (Status.CUSTOM, (), "text"),
        (Status.CUSTOM, ("custom_status_text",), "exception"),
        (Status.COMPLETED, (), "summary"),
    ],
)
def test_the_reason_is_what_belongs_to_the_status(status, left_out, told):
    """A custom status has a text of its own, a fault an exception; otherwise whatever there is."""
    said = {name: text for name, text in SAID.items() if name not in left_out}
    outcome = outcome_of(JobStatus(job_run_id="1", job_id="2", status=status, **said), asked=False)
    assert outcome.reason.split(": ")[-1] == told
