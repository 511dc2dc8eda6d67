"""The job of `job_details`: made on first use, kept as it is defined, never confused with another's."""

import asyncio
import json
from datetime import timedelta

import pytest

from runners.api import Ended

CREATE = ("POST", "/jobs$")


def the_job(ccs):
    ((job_id, job),) = ccs.jobs.items()
    return job_id, job["JobDetails"]


async def test_it_is_made_on_first_use(driver, ccs):
    """Without a Schedule; the next fire executes the same job."""
    assert (await driver.go()).ended is Ended.COMPLETED
    job_id, details = the_job(ccs)
    assert "Schedule" not in details
    driver.next_run()
    assert (await driver.go()).ended is Ended.COMPLETED
    assert (ccs.count(*CREATE), ccs.count("PATCH"), len(ccs.runs[job_id])) == (1, 0, 2)


async def test_it_is_changed_when_its_definition_is(driver, ccs):
    """With the defaults of what is no longer written; once."""
    await driver.go(details={"IncrementalPeriod": 7, "JobDescription": "old"})
    driver.next_run()
    await driver.go(details={"AssetTimeOut": 20})
    driver.next_run()
    await driver.go(details={"AssetTimeOut": 20})
    _, details = the_job(ccs)
    assert ccs.count("PATCH") == 1
    assert {name: details[name] for name in ("AssetTimeOut", "IsIncremental", "JobDescription")} == {
        "AssetTimeOut": 20, "IsIncremental": False, "JobDescription": ""
    }  # fmt: skip


async def test_a_new_name_renames_it(driver, ccs):
    """It stays the same job."""
    await driver.go()
    driver.next_run()
    await driver.go(details={"JobName": "Weekly Unix"})
    assert the_job(ccs)[1]["JobName"] == "Weekly Unix"
    assert ccs.count(*CREATE) == 1


async def test_another_job_of_that_name_is_not_touched(driver, ccs):
    """A clear failure with its GUID and both ways out; nothing is sent that changes anything."""
    theirs = ccs.add_job()
    outcome = await driver.go()
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, False)
    assert f"`job: {theirs}`" in outcome.reason
    assert "another JobName" in outcome.reason
    assert (ccs.count("POST", "/jobs"), ccs.count("PATCH")) == (0, 0)


@pytest.mark.parametrize("act", ["drop_after", "fail_after", b"{}"])
async def test_a_create_whose_answer_is_lost(driver, ccs, act):
    """The job is found by its name, and is ours."""
    ccs.order(*CREATE, act)
    assert (await driver.go()).ended is Ended.COMPLETED
    assert (len(ccs.jobs), ccs.count(*CREATE)) == (1, 1)
    assert driver.job_memory.values["ccs_job"] == the_job(ccs)[0]
    assert "ccs_creating" not in driver.job_memory.values


async def test_a_create_that_never_arrived(driver, ccs):
    """Looked for in vain: retryable; the next attempt makes it."""
    ccs.order(*CREATE, "drop_before")
    outcome = await driver.go()
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert (await driver.go()).ended is Ended.COMPLETED
    assert len(ccs.jobs) == 1


async def test_a_create_that_is_refused(driver, ccs):
    """The server's words; a job of that name that somebody makes later is not taken for ours."""
    ccs.order(*CREATE, (400, {"Message": "unknown asset type"}, {}))
    assert (await driver.go()).reason == "prod: unknown asset type (status 400)"
    ccs.add_job()
    assert "was not made here" in (await driver.go()).reason


async def test_the_intention_is_remembered_before_it_is_sent(driver, ccs):
    """Killed between sending and reading: the job is found by its name, as it was then, and brought up to date."""

    async def hang():
        await asyncio.sleep(60)

    ccs.order(*CREATE, hang)
    attempt = asyncio.ensure_future(driver.go())
    while not ccs.jobs:
        await asyncio.sleep(0.01)
    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    assert json.loads(driver.job_memory.values["ccs_creating"])["name"] == "Weekly Linux"
    assert (await driver.go(details={"AssetTimeOut": 20})).ended is Ended.COMPLETED
    assert (ccs.count(*CREATE), the_job(ccs)[1]["AssetTimeOut"]) == (1, 20)


@pytest.mark.parametrize("status", [400, 404])
async def test_a_job_that_is_gone_is_made_anew(driver, ccs, status):
    """Deleted on the server."""
    await driver.go()
    ccs.jobs.clear()
    driver.next_run()
    ccs.order("GET", "/jobs/[^/]*$", (status, {"Message": "no such job"}, {}))
    assert (await driver.go()).ended is Ended.COMPLETED
    assert ccs.count(*CREATE) == 2
    assert driver.job_memory.values["ccs_job"] == the_job(ccs)[0]


async def test_an_update_whose_answer_is_lost_is_sent_again(driver, ccs):
    """Also when the definition is taken back meanwhile: what the server has is not known."""
    await driver.go(details={"AssetTimeOut": 20})
    driver.next_run()
    ccs.order("PATCH", "/jobs", "drop_after")
    outcome = await driver.go(details={"AssetTimeOut": 30})
    assert (outcome.ended, outcome.retryable, the_job(ccs)[1]["AssetTimeOut"]) == (Ended.FAILED, True, 30)
    assert (await driver.go(details={"AssetTimeOut": 20})).ended is Ended.COMPLETED
    assert the_job(ccs)[1]["AssetTimeOut"] == 20


async def test_the_type_of_a_job_cannot_change(driver, ccs):
    """A clear failure."""
    await driver.go()
    driver.next_run()
    outcome = await driver.go(job_type="EvaluationJob")
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, False)
    assert "was made as a CollectionJob and cannot become a EvaluationJob" in outcome.reason


async def test_another_server_is_told_everything_anew(driver, ccs):
    """What is remembered of one address does not count for another: a copy of it has the job, but perhaps an older one."""
    await driver.go()
    driver.next_run()
    driver.settings = {"url": f"http://localhost:{ccs.port}"}
    assert (await driver.go()).ended is Ended.COMPLETED
    assert (ccs.count(*CREATE), ccs.count("PATCH")) == (1, 1)


def incremental(ccs):
    details = the_job(ccs)[1]
    return details.get("IsIncremental"), details.get("IncrementalPeriod")


async def rerun_after(driver, ccs, span, **details):
    """A first attempt that is aborted, then a rerun after `span`; what the job says during the rerun."""
    ccs.script = [7]
    await driver.go(details=details)
    driver.clock.advance(span)
    ccs.script, seen = [4], []

    async def look():
        seen.append(incremental(ccs))

    ccs.order("POST", "/jobs/", look, body="execute")
    assert (await driver.go(rerun=True, details=details)).ended is Ended.COMPLETED
    return seen[0]


@pytest.mark.parametrize(
    ("span", "days"),
    [
        (timedelta(hours=3), 1),
        (timedelta(days=1), 2),
        (timedelta(days=2, hours=23), 3),
        (timedelta(days=200), 100),
    ],
)
async def test_a_rerun_collects_only_what_is_older_than_the_run(driver, ccs, span, days):
    """The period is the whole days since the fire time and one; at the next fire the job is as it is defined."""
    assert await rerun_after(driver, ccs, span) == (True, days)
    driver.next_run()
    await driver.go()
    assert incremental(ccs)[0] is False
    assert "ccs_incremental" not in driver.job_memory.values
    patches = [json.loads(body)["JobDetails"] for method, _, body in ccs.requests if method == "PATCH"]
    assert [sorted(patch) for patch in patches] == [["IncrementalPeriod", "IsIncremental"]] * 2


async def test_a_job_that_is_incremental_itself(driver, ccs):
    """What was fresh at the fire stays fresh in the rerun; its own period is set back.

    Rule: ccs-reruns
    """
    assert await rerun_after(driver, ccs, timedelta(hours=3), IncrementalPeriod=7) == (True, 7)
    driver.next_run()
    await driver.go(details={"IncrementalPeriod": 7})
    assert incremental(ccs) == (True, 7)


async def test_a_narrowing_that_may_have_been_made_is_set_back(driver, ccs):
    """It is remembered before it is sent: also where its answer was lost."""
    ccs.script = [7]
    await driver.go()
    ccs.order("PATCH", "/jobs", "drop_after")
    assert (await driver.go(rerun=True)).retryable is True
    ccs.script = [4]
    driver.next_run()
    await driver.go()
    assert incremental(ccs)[0] is False


async def test_a_retry_is_no_rerun(driver, ccs):
    """It collects everything."""
    ccs.script = [5]
    await driver.go()
    ccs.script = [4]
    assert (await driver.go()).ended is Ended.COMPLETED
    assert ccs.count("PATCH") == 0


async def test_a_job_by_its_guid_is_only_executed_again(driver, ccs, job):
    """A rerun never alters it."""
    ccs.script = [7]
    await driver.go(job=job)
    ccs.script = [4]
    assert (await driver.go(job=job, rerun=True)).ended is Ended.COMPLETED
    assert (ccs.count("PATCH"), ccs.count("POST", f"/jobs/{job}$")) == (0, 2)
