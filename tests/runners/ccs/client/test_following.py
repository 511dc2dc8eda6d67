"""A job run is followed to its end, through whatever happens on the way."""

import json
from datetime import timedelta

import pytest

from runners.api import Ended

POLL = "/jobruns"
END = {"JobEndTime": "2026-11-22T13:00:00Z"}


async def test_a_job_by_its_guid_is_executed_and_followed(driver, ccs, job):
    """Once; the job itself is never altered; what happened is remembered."""
    ccs.script = [1, 2, 3, 2, 4]
    outcome = await driver.go(job=job)
    assert outcome.ended is Ended.COMPLETED
    assert ccs.count("POST", f"/jobs/{job}$") == 1
    assert ccs.count("PATCH") == 0
    newest, baseline = ccs.runs[job][0]["JobRunID"], ccs.runs[job][1]["JobRunID"]
    kept = driver.memory.values
    assert (kept["ccs_job"], kept["ccs_run"], kept["ccs_baseline"]) == (job, newest, baseline)
    assert json.loads(kept["ccs_status"])["Status"] == 4
    assert [json.loads(put["ccs_status"])["Status"] for put in driver.memory.log if "ccs_status" in put] == [
        1, 2, 3, 2, 4
    ]  # fmt: skip


async def test_what_is_needed_to_find_it_again_is_remembered_before_it_is_sent(driver, ccs, job):
    """The baseline and that it was sent are on the disk when execute arrives."""
    seen = {}

    async def look():
        seen.update(driver.memory.values)

    ccs.order("POST", f"/jobs/{job}$", look)
    await driver.go(job=job)
    assert set(seen) == {"ccs_job", "ccs_baseline", "ccs_sent", "ccs_executed_in"}


@pytest.mark.parametrize(
    ("code", "more", "ended", "retryable", "reason"),
    [
        (4, {}, Ended.COMPLETED, False, ""),
        (4, {"JobSummary": "12 assets"}, Ended.COMPLETED, False, "prod: 12 assets"),
        (5, {"Exception": "out of disk"}, Ended.FAILED, True, "prod: it faulted on the server: out of disk"),
        (5, {"JobSummary": "half"}, Ended.FAILED, True, "prod: it faulted on the server: half"),
        (7, {}, Ended.FAILED, False, "prod: it was aborted on the server, not by this daemon"),
        (6, END | {"CustomStatusText": "expired"}, Ended.FAILED, False,
         "prod: it ended with a status of its own: expired"),
    ],
)  # fmt: skip
async def test_each_status_that_ends(driver, ccs, job, code, more, ended, retryable, reason):
    """Completed, faulted, aborted by others, custom with an end."""
    ccs.script, ccs.more = [2, code], more
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.retryable, outcome.reason) == (ended, retryable, reason)


async def test_each_status_that_goes_on(driver, ccs, job):
    """None, pending, executing, idle, and custom without an end."""
    ccs.script = [0, 1, 2, 3, 6, 4]
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert ccs.count("GET", POLL) == 1 + 5


async def test_the_pauses_grow_up_to_poll(driver, ccs, job):
    """From two seconds, each a little shorter by chance."""
    ccs.script = [2] * 12 + [4]
    await driver.go(job=job, poll=20)
    pauses = [pause.total_seconds() for pause in driver.clock.slept]
    assert 1.6 <= pauses[0] <= 2
    assert all(16 <= pause <= 20 for pause in pauses[7:])
    assert len(set(pauses)) == len(pauses)


@pytest.mark.parametrize("act", [500, 503, 302, "drop_before", "drop_after", b"<html>", b'[{"Status": 2}]'])
async def test_trouble_is_waited_out(driver, ccs, job, act):
    """It is told once, and its end too."""
    ccs.script = [2, 2, 4]

    async def from_now():
        ccs.order("GET", POLL, act, times=3)

    ccs.order("POST", f"/jobs/{job}$", from_now)
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert driver.report.counts() == {"counterpart_silent": 1, "counterpart_answers": 1}
    assert ccs.count("POST", f"/jobs/{job}$") == 1


async def test_a_server_that_is_busy_is_left_alone_as_long_as_it_says(driver, ccs, job):
    """Retry-After, in seconds or as a date."""

    async def from_now():
        ccs.order("GET", POLL, (429, {}, {"Retry-After": "300"}))
        ccs.order("GET", POLL, (503, {}, {"Retry-After": "Sun, 22 Nov 2026 12:11:00 GMT"}))

    ccs.order("POST", f"/jobs/{job}$", from_now)
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert [pause for pause in driver.clock.slept if pause > timedelta(minutes=1)] == [
        timedelta(minutes=5),
        pytest.approx(timedelta(minutes=6), abs=timedelta(seconds=5)),
    ]


async def test_a_long_silence_is_given_up_and_the_next_attempt_follows_the_same_run(driver, ccs, job):
    """After four hours: retryable. Nothing is executed again."""

    async def from_now():
        ccs.order("GET", POLL, 500, times=10_000)

    ccs.order("POST", f"/jobs/{job}$", from_now)
    outcome = await driver.go(job=job, poll=600)
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert "no usable answer since 2026-11-22T12:00" in outcome.reason
    ccs.orders.clear()
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert ccs.count("POST", f"/jobs/{job}$") == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409])
async def test_an_odd_answer_is_not_the_end_of_a_job_run(driver, ccs, job, status):
    """Five refusals in a row are, four are not: neither while it is followed, nor when it is found again."""
    ccs.script = [2, 2, 4]
    driver.clock.at(timedelta(seconds=1), lambda: ccs.order("GET", POLL, status, times=4))
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    ccs.runs[job][0]["script"] = [2]
    driver.clock.at(timedelta(seconds=1), lambda: ccs.order("GET", POLL, status, times=5))
    assert (await driver.go(job=job)).ended is Ended.FAILED
    ccs.runs[job][0]["script"] = [2, 2, 2, 4]
    ccs.order("GET", POLL, status, times=4)
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert ccs.count("POST", f"/jobs/{job}$") == 1


async def test_a_login_that_is_refused_is_not_repeated(driver, ccs, job):
    """Accounts get locked: one try, and the attempt fails."""
    ccs.script = [2]

    def changed():
        ccs.access.clear()
        ccs.refresh.clear()
        ccs.password = "another"

    driver.clock.at(timedelta(seconds=1), changed)
    before = ccs.count("POST", "/oauth/tokens")
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, False)
    assert "the login is refused" in outcome.reason
    assert outcome.reason.endswith(f"; the job run {driver.memory.values['ccs_run']} may still be at work")
    assert ccs.count("POST", "/oauth/tokens") - before == 3  # the first login, the refresh, the password


async def test_a_run_that_is_no_longer_listed(driver, ccs, job):
    """Looked for five times, among all; then it is a clear failure."""
    ccs.script = [2]
    driver.clock.at(timedelta(seconds=5), ccs.runs.clear)
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, False)
    assert "no longer lists the job run" in outcome.reason


async def test_a_run_is_found_among_newer_ones(driver, ccs, job):
    """Others execute the job too: ours is followed by its id."""
    ccs.script = [2, 2, 2, 4]
    driver.clock.at(timedelta(seconds=1), lambda: [ccs.add_run(job, 5, before=timedelta(0)) for _ in range(30)])
    outcome = await driver.go(job=job)
    assert outcome.ended is Ended.COMPLETED


async def test_what_a_server_tells_is_kept_bounded(driver, ccs, job):
    """Texts and the list of activities."""
    ccs.more = {"Exception": "x" * 50_000, "ActivityStatusList": [{"Asset": "y" * 1000}] * 5000}
    await driver.go(job=job)
    kept = driver.memory.values["ccs_status"]
    assert len(kept) < 64_000
    assert json.loads(kept)["ActivityStatusList"][-1]["omitted"] > 4900


async def test_a_token_that_ends_in_the_middle_of_a_poll(driver, ccs, job):
    """One renewal, and the same request again."""
    ccs.script = [2, 2, 2, 4]
    driver.clock.at(timedelta(seconds=1), ccs.access.clear)
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert ccs.count("POST", "/oauth/tokens") == 2
    assert driver.report.told == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_right_that_is_missing(driver, ccs, job, status):
    """The server's words; not retryable."""
    ccs.order("POST", f"/jobs/{job}$", (status, {"Message": "You are not authorized."}, {}), times=5)
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, False)
    assert outcome.reason == f"prod: You are not authorized. (status {status})"
    assert "ccs_sent" not in driver.memory.values


async def test_a_server_that_is_not_there(driver, ccs, job):
    """Nothing was sent: retryable, and nothing is remembered."""
    await ccs.stop()
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert driver.memory.values == {}


async def test_a_job_that_is_not_there(driver):
    """A GUID that the server does not know is no use to try again."""
    outcome = await driver.go(job="00000000-0000-0000-0000-000000000000")
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, False)
    assert outcome.reason == "prod: no such job (status 404)"
