"""The Update Job request, and what it makes of a job."""

from datetime import timedelta

import pytest

from runners.ccs.wire import WireFaults, parse_create_job, parse_created, parse_update_job

JOB = "5ADE67F0-0c93-49f3-9f2b-b8ec4beaa99c"


def update(**details):
    """An update of these fields, read."""
    return parse_update_job({"JobDetails": details, "JobID": JOB})


def test_any_fields_may_be_given(body):
    """Even none; null is not given; each is checked by itself."""
    assert update().given == {}
    assert update(JobName="x", Standards=None).given == {"JobName": "x"}
    assert update(ShouldSendSuccessNotification=True).given == {"ShouldSendSuccessNotification": True}
    found = update(**body()["JobDetails"])
    assert (found.job_id, found.given) == (JOB.lower(), body()["JobDetails"])
    assert parse_update_job(found.wire()) == found


def test_faults_of_an_update_come_all_at_once():
    """By the names of the page."""
    with pytest.raises(WireFaults) as raised:
        parse_update_job({"JobDetails": {"AssetTimeOut": 0, "Foo": 1}, "JobID": "x", "JobType": "CollectionJob"})
    assert [fault.field for fault in raised.value.faults] == ["JobType", "Foo", "AssetTimeOut", "JobID"]
    with pytest.raises(WireFaults, match="JobDetails: is missing"):
        parse_update_job({"JobID": JOB})
    with pytest.raises(WireFaults, match="JobID: is missing"):
        parse_update_job({"JobDetails": {}})


def test_an_update_changes_what_it_gives(body):
    """The rest stays; a Schedule is replaced whole."""
    before = parse_create_job(body()).details
    after = update(JobName="new", AssetTimeOut=5, Schedule={"RunNow": False}).applied(before)
    assert (after.name, after.asset_timeout, after.schedule) == ("new", timedelta(minutes=5), {"RunNow": False})
    assert (after.assets, after.on_success, after.incremental) == (
        before.assets, before.on_success, before.incremental,
    )  # fmt: skip
    assert update().applied(before) == before


def test_an_updated_period_switches_incremental_on(body):
    """As at creation: unless the same update says false."""
    before = parse_create_job(body(IsIncremental=False, IncrementalPeriod=None)).details
    assert update(IncrementalPeriod=9).applied(before).incremental == timedelta(days=9)
    assert update(IncrementalPeriod=9, IsIncremental=False).applied(before).incremental is None
    assert update(IsIncremental="false").applied(parse_create_job(body()).details).incremental is None


def test_what_is_mandatory_together_is_judged_with_the_job(body):
    """A flag switched on needs the notification, the job's or the update's."""
    before = parse_create_job(body(FailureNotification=None)).details
    switched = update(ShouldSendFailureNotification=True)
    with pytest.raises(WireFaults, match="FailureNotification: is missing"):
        switched.applied(before)
    assert switched.applied(parse_create_job(body()).details).on_failure is not None


@pytest.mark.parametrize(
    ("details", "now"),
    [
        ({}, False), ({"Schedule": {}}, False), ({"Schedule": {"RunNow": False}}, False),
        ({"Schedule": {"RunNow": True}}, True), ({"Schedule": {"RunNow": "True"}}, True),
    ],
)  # fmt: skip
def test_an_update_runs_the_job_only_if_it_says_so(details, now):
    """RunNow's default of true is for creation.

    Rule: run-now
    """
    assert update(**details).runs_now is now


def test_the_answer_to_a_creation():
    """A GUID; whatever else stands there is ignored."""
    assert parse_created({"JobID": JOB, "Other": 1}) == JOB.lower()
    for wrong in (None, [], {}, {"JobID": "x"}):
        with pytest.raises(WireFaults):
            parse_created(wrong)
