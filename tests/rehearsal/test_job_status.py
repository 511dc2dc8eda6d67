"""Job runs of CCS with another status, in every form in which a server may answer them."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from jobsd.rehearsal.answers import with_job_status
from jobsd.rehearsal.faults import Fault
from runners.ccs.wire import JobStatus, Status, parse_job_runs

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONE, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
RUN = JobStatus(job_run_id=ONE, job_id=OTHER, status=Status.EXECUTING, started_at=NOW)


def altered(answer, **fault):
    order = TypeAdapter(Fault).validate_python({"fault": "job_status", **fault})
    return json.loads(with_job_status(json.dumps(answer).encode(), order, NOW))


@pytest.mark.parametrize("status", list(Status))
def test_every_code_can_be_ordered(status):
    """The codes that end a job run set its end, the others unset it; the rest stays."""
    answer = altered([RUN.wire()], status=int(status))
    (run,) = parse_job_runs(answer)
    assert (run.status, run.job_run_id, run.started_at) == (status, ONE, NOW)
    assert run.ended_at == (NOW if status in {4, 5, 7} else None)


def test_text_exception_and_end_can_be_ordered():
    """As with a custom status that is over."""
    (run,) = parse_job_runs(altered([RUN.wire()], status=6, text="Parked", exception="no agent", ended=True))
    assert (run.custom_status_text, run.exception, run.ended, run.ended_at) == ("Parked", "no agent", True, NOW)


def test_one_job_run_can_be_meant():
    """The others stay as they are."""
    other = JobStatus(job_run_id=OTHER, job_id=OTHER, status=Status.EXECUTING)
    found = parse_job_runs(altered([RUN.wire(), other.wire()], status=5, job_run=OTHER.upper()))
    assert [run.status for run in found] == [Status.EXECUTING, Status.FAULTED]


def test_a_single_job_run_stays_single():
    """As execute answers it."""
    assert altered(RUN.wire(), status=1)["Status"] == 1


@pytest.mark.parametrize("answer", [{"JobID": ONE}, {"Message": "no"}, 3, [{"JobRunID": ONE}]])
def test_what_holds_no_job_run_stays(answer):
    """Another answer that fits the order by its path."""
    assert altered(answer, status=5) == answer
