"""What a job of an SDE server means here."""

from datetime import timedelta

import pytest

from runners.api import Ended, StopReason
from runners.sde.client import Refused
from runners.sde.outcomes import goes_on, is_import_of, may_pass, outcome_of, overdue
from runners.sde.wire import FileImport, parse_job


def job(**fields):
    return parse_job({"id": 5, "ready": True, "succeeded": True, "connection": {"id": 3, "project": 7}} | fields)


@pytest.mark.parametrize(
    ("attachment", "name", "ours"),
    [
        ("scan.fpr", "scan.fpr", True),
        ("scan (1).fpr", "scan (1).fpr", True),
        ("scan_1.fpr", "scan (1).fpr", True),
        ("uploads/7/scan.fpr", "scan.fpr", True),
        ("scan_x7Yz12A.fpr", "scan.fpr", True),
        ("my_scan.fpr", "my scan.fpr", True),
        ("scan_x7Yz12.fpr", "scan.fpr", False),
        ("scan_x7Yz12A.xml", "scan.fpr", False),
        ("other_scan.fpr", "scan.fpr", False),
        ("scan", "scan.fpr", False),
        (None, "scan.fpr", False),
    ],
)
def test_an_import_is_recognized_by_its_files_name(attachment, name, ours):
    """As it is, or as a store of the server has made it."""
    wanted = FileImport(file_name=name, system="s", project=7)
    assert is_import_of(job(attachment=attachment), wanted) is ours


@pytest.mark.parametrize(("project", "ours"), [(7, True), (8, False), (None, True)])
def test_an_import_is_recognized_by_its_project(project, ours):
    """Where the job tells it."""
    wanted = FileImport(file_name="a", system="s", project=7)
    assert is_import_of(job(attachment="a", connection={"id": 3, "project": project}), wanted) is ours


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("no license", "job 5 failed: no license"),
        (" two\n lines ", "job 5 failed: two lines"),
        ("", "job 5 failed: the server gives no reason"),
        ("x" * 2_000, "job 5 failed: " + "x" * 999 + "…"),
    ],
)
def test_the_reason_of_a_failure(message, reason):
    """On one line, of a sane length, and there in every case."""
    outcome = outcome_of(job(succeeded=False, result_message=message))
    assert (outcome.ended, outcome.reason, outcome.retryable) == (Ended.FAILED, reason, True)


def test_times_are_told_in_whole_words():
    """In the greatest unit that fits."""
    told = [overdue(5, timedelta(seconds=s), begun="sent").split(" after")[0] for s in (30, 90, 5_400, 25_200)]
    assert told == [f"job 5 was not ready {words}" for words in ("30 s", "1.5 min", "1.5 h", "7 h")]


def test_who_looks_at_a_job_that_goes_on():
    """The rerun, the next start, or nobody."""
    told = {reason: goes_on(5, reason).partition("server")[2] for reason in StopReason}
    assert told == {
        StopReason.WINDOW_END: ", which cannot cancel it: the rerun looks at it first",
        StopReason.NEXT_RERUN: ", which cannot cancel it: the rerun looks at it first",
        StopReason.SHUTDOWN: " and is found again at the next start",
        StopReason.CLOSURE: ", which cannot cancel it: the next attempt looks at it first",
        StopReason.CANCEL: ", which cannot cancel it",
        StopReason.NEW_OCCURRENCE: ", which cannot cancel it",
    }


@pytest.mark.parametrize(
    ("status", "passes"), [(302, False), (400, False), (401, False), (404, False), (409, True)]
)
def test_which_refusals_may_pass(status, passes):
    """Those are retried; a wrong token, connection or address is not."""
    assert may_pass(Refused(status, "no")) is passes
