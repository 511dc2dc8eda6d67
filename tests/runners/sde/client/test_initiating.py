"""A job is initiated once, whatever becomes of the answers."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from runners.api import Ended, Stop, StopReason
from runners.sde import memory
from runners.sde.initiating import PAUSES

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POST = "jobs/alm/"


def host(sde):
    return f"127.0.0.1:{sde.port}"


async def test_a_job_is_initiated_and_watched_until_it_is_ready(sde, driver):
    """Automatic and not ready in the request; the outcome is the server's, with its words."""
    sde.script = (3, True, "12 tasks synchronized")
    outcome = await driver.go()
    assert (outcome.ended, outcome.reason) == (Ended.COMPLETED, "prod: 12 tasks synchronized")
    assert sde.count("POST") == 1
    assert next(iter(sde.jobs.values()))["automatic"] is True
    assert sde.count("GET", "jobs/alm/101/") == 3
    assert driver.memory.values[memory.JOB] == f"101@{host(sde)}"
    assert driver.memory.values[memory.STATUS] == "succeeded"


@pytest.mark.parametrize("kind", ["alm", "analysis", "ldap"])
async def test_each_kind_has_its_own_path(sde, driver, kind):
    """The job is initiated and looked at where its kind is."""
    assert (await driver.go(kind=kind)).ended is Ended.COMPLETED
    assert {target.split("?")[0] for _, target, _ in sde.requests} == {
        f"/api/v2/jobs/{kind}/",
        f"/api/v2/jobs/{kind}/101/",
    }


async def test_a_job_that_is_ready_in_the_answer_ends_at_once(sde, driver):
    """Servers may answer the initiation with a job that has ended already: it is not looked at again."""
    sde.script = (0, True, "")
    outcome = await driver.go()
    assert (outcome.ended, outcome.reason) == (Ended.COMPLETED, "")
    assert sde.count("GET", r"alm/\d") == 0
    assert driver.clock.slept == []


async def test_what_the_server_says_of_a_failure_is_the_reason(sde, driver):
    """A failed job is an attempt's error, which the retry policy answers."""
    sde.script = (1, False, "Jira refused\n the   login")
    outcome = await driver.go()
    assert outcome.ended is Ended.FAILED
    assert outcome.reason == "prod: job 101 failed: Jira refused the login"
    assert outcome.retryable


async def test_baseline_and_intention_are_remembered_before_anything_is_sent(sde, driver):
    """A crash while the request is on its way finds both."""
    old = sde.add_job()
    seen = {}

    async def look():
        seen.update(driver.memory.values)

    sde.order("POST", POST, look)
    await driver.go()
    assert seen[memory.BASELINE] == str(old)
    assert memory.SENT in seen
    assert memory.JOB not in seen


@pytest.mark.parametrize("fault", ["drop_after", b"<html>", b'{"id": 1}', b"{}"])
async def test_a_lost_answer_is_found_among_the_newer_jobs(sde, driver, fault):
    """A broken connection, or an answer that cannot be read: nothing is sent again, yesterday's job is not ours.

    Rule: lost-answers
    """
    sde.add_job(script=(0, False, "yesterday"))
    sde.order("POST", POST, fault)
    outcome = await driver.go()
    assert outcome.ended is Ended.COMPLETED
    assert sde.count("POST") == 1
    assert driver.report.counts()["sde_answer_lost"] == 1


async def test_an_initiation_that_never_arrived_is_repeated(sde, driver):
    """Only after the connection's jobs were read, several times."""
    sde.add_job()
    sde.order("POST", POST, "drop_before")
    outcome = await driver.go()
    assert outcome.ended is Ended.COMPLETED
    assert sde.count("POST") == 2
    assert len(sde.jobs) == 2


@pytest.mark.parametrize("status", [200, 202, 204, 301, 302, 307, 308])
async def test_anything_but_201_is_no_success(sde, driver, status):
    """A redirect is not followed, and an answer of another status is no job, whatever it holds."""
    sde.order("POST", POST, (status, {"id": 5}, {"Location": "http://127.0.0.1:9/elsewhere/"}), times=9)
    outcome = await driver.go()
    assert outcome.ended is Ended.FAILED
    assert not sde.jobs
    assert all(target.startswith("/api/v2/jobs/alm/") for _, target, _ in sde.requests)
    if status >= 300:
        assert sde.count("POST") == 1
        assert "write the address that it has now as url" in outcome.reason


async def test_of_the_newer_jobs_those_of_other_runs_and_of_people_are_not_ours(sde, driver):
    """Another run's, a person's and another connection's job are newer, too."""
    others = sde.add_job(12)
    driver.next_run()
    driver.memory.others[0].values[memory.JOB] = f"{others + 1}@{host(sde)}"

    async def meanwhile():
        sde.add_job(12, script=(0, False, "another run's"))
        sde.add_job(12, script=(0, False, "a person's"), automatic=False)
        sde.add_job(13, script=(0, False, "another connection's"))

    sde.order("GET", "page=1$", meanwhile, times=1)
    sde.order("POST", POST, "drop_before")
    outcome = await driver.go()
    assert outcome.ended is Ended.COMPLETED
    assert sde.count("POST") == 2
    assert driver.memory.values[memory.JOB] == f"{max(sde.jobs)}@{host(sde)}"


async def test_of_several_the_oldest_is_taken_and_told(sde, driver):
    """Nobody can tell which is ours; the log says so."""

    async def rivals():
        sde.add_job(12)
        sde.add_job(12)

    sde.order("GET", "page=1$", rivals)
    sde.order("POST", POST, "drop_before", times=9)
    outcome = await driver.go()
    assert outcome.ended is Ended.COMPLETED
    assert driver.memory.values[memory.JOB] == f"101@{host(sde)}"
    assert driver.report.told[-1] == ("sde_job_ambiguous", {"server": "prod", "sde_job": 101, "others": [102]})


async def test_an_initiation_that_is_refused_fails_with_the_servers_words(sde, driver):
    """A connection that there is not: no retry helps, nothing is remembered as sent."""
    outcome = await driver.go(connection=999)
    assert outcome.ended is Ended.FAILED
    assert outcome.reason == 'prod: connection: Invalid pk "999" - object does not exist. (status 400)'
    assert not outcome.retryable
    assert memory.SENT not in driver.memory.values


@pytest.mark.parametrize("kind", ["alm", "ldap"])
async def test_ldap_jobs_are_recognized_although_they_say_that_a_person_asked(sde, driver, kind):
    """The vendor's page answers so; of the other kinds such a job is not ours."""
    sde.order("POST", f"jobs/{kind}/", "drop_after")
    good = sde._wire
    sde._wire = lambda job_id: good(job_id) | {"automatic": False}
    assert (await driver.go(kind=kind)).ended is Ended.COMPLETED
    assert len(sde.jobs) == (1 if kind == "ldap" else 2)


@pytest.mark.parametrize(
    ("method", "words"),
    [("GET", "nothing was initiated: "), ("POST", "whether a job was initiated is not known: ")],
)
async def test_an_attempt_that_got_no_answer_says_whether_something_may_run(sde, driver, method, words):
    """Operators have to know; a retry looks for it."""
    sde.order(method, POST, (502, {"detail": "bad gateway"}, {}), times=9)
    outcome = await driver.go()
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert outcome.reason == f"prod: {words}bad gateway (status 502)"
    assert sde.count("POST") == (0 if method == "GET" else 3)


async def test_a_server_that_nobody_listens_at_is_an_error_of_the_attempt(sde, driver):
    """Nothing was initiated; trying again may help."""
    await sde.stop()
    outcome = await driver.go()
    assert outcome.ended is Ended.FAILED
    assert outcome.retryable
    assert outcome.reason.startswith("prod: nothing was initiated: ")


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_second_one_that_is_refused_may_say_that_the_first_was_taken(sde, driver, restarted):
    """The first is shown late: what is refused because of it is no refusal, also after a restart."""
    listed, looks = sde._listed, []

    def late(*what):
        looks.append(what)
        return listed(*what) if len(looks) > 1 + len(PAUSES) else []

    sde._listed = late
    sde.order("POST", POST, "drop_after")
    if restarted:
        driver.clock.at(timedelta(seconds=0.5), lambda: driver.stop.request(StopReason.SHUTDOWN))
        assert (await driver.go()).ended is Ended.STOPPED
        await driver.restart()
        del looks[1:]
    sde.order("POST", POST, (409, {"detail": "a job of it is in progress"}, {}))
    outcome = await driver.go()
    assert (outcome.ended, len(sde.jobs), sde.count("POST")) == (Ended.COMPLETED, 1, 2)


@pytest.mark.parametrize("path", ["GET jobs/alm/.*page=1$", "POST jobs/alm/", "GET jobs/alm/101/"])
async def test_throttling_is_heeded_at_every_call(sde, driver, path):
    """What Retry-After says passes before the next request, and nothing is sent twice."""
    method, target = path.split(" ")
    sde.order(method, target, (429, {"detail": "Request was throttled."}, {"Retry-After": "1234"}), times=2)
    outcome = await driver.go()
    assert outcome.ended is Ended.COMPLETED
    assert len(sde.jobs) == 1
    assert sum(1 for pause in driver.clock.slept if pause >= timedelta(seconds=1234)) == 2


@pytest.mark.parametrize("after", ["99999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_server_is_left_alone_for_a_day_at_most(sde, driver, after):
    """Whatever its Retry-After says, also what is beyond the calendar by its own clock."""
    headers = {"Retry-After": after, "Date": "Thu, 01 Jan 1970 00:00:00 GMT"}
    sde.order("POST", POST, (429, {}, headers))
    assert (await driver.go()).ended is Ended.COMPLETED
    assert timedelta(days=1) <= driver.clock.now() - NOON < timedelta(days=1, minutes=5)


async def test_a_shorter_pause_does_not_cut_a_longer_one_short(sde, driver):
    """Two requests were under way when the server began to throttle; both are heeded."""
    claims = driver.runners._sde_claims
    claims.leave_alone("host", timedelta(hours=2), NOON)
    claims.leave_alone("host", timedelta(minutes=5), NOON + timedelta(minutes=1))
    assert claims.quiet("host", NOON + timedelta(hours=1)) == timedelta(hours=1)


async def test_a_clock_that_was_stepped_back_does_not_leave_a_server_alone_for_ever(sde, driver):
    """What it said in a year that has not come is not heeded."""
    driver.clock._now += timedelta(days=900)
    sde.order("GET", POST, (429, {}, {"Retry-After": "600"}))
    stop = Stop()
    driver.clock.at(timedelta(seconds=10), lambda: stop.request(StopReason.WINDOW_END))
    await driver.go(stop=stop)
    driver.clock._now = NOON
    assert (await driver.go()).ended is Ended.COMPLETED
    assert driver.clock.now() - NOON < timedelta(minutes=1)


async def test_what_one_execution_is_told_of_throttling_all_of_them_heed(sde, driver):
    """A second run on the same server sends nothing before the time is over."""
    sde.order("POST", POST, (429, {"detail": "Request was throttled."}, {"Retry-After": "3600"}))
    stop = Stop()
    driver.clock.at(timedelta(seconds=60), lambda: stop.request(StopReason.WINDOW_END))
    outcome = await driver.go(stop=stop)
    assert outcome.reason == "prod: nothing was initiated"
    assert memory.SENT not in driver.memory.values
    sent_at = []

    async def note():
        sent_at.append(driver.clock.now())

    sde.order("GET", "", note)
    assert (await driver.go(connection=13)).ended is Ended.COMPLETED
    assert sent_at[0] - NOON >= timedelta(hours=1)


async def test_two_runs_of_one_connection_do_not_take_each_others_jobs(sde, driver):
    """The answer to one is lost while the other initiates: each follows its own."""
    sde.order("POST", POST, "drop_after")
    one_memory = driver.memory
    task = asyncio.create_task(driver.go())
    await asyncio.sleep(0)
    driver.next_run()
    two_memory = driver.memory
    one_memory.others = (two_memory,)
    second = await driver.go()
    assert (await task).ended is Ended.COMPLETED
    assert second.ended is Ended.COMPLETED
    assert one_memory.values[memory.JOB] != two_memory.values[memory.JOB]
    assert len(sde.jobs) == 2


async def test_what_another_run_initiates_is_not_looked_at_before_that_run_has_its_answer(sde, driver):
    """One run looks for what it lost while the other's initiation is on its way: they take turns."""
    one_memory, two = driver.memory, []
    posted, looked = asyncio.Event(), asyncio.Event()

    async def begin_the_other():
        """The first look has found nothing; before it is told so, the other sends, if nothing keeps it from it."""
        driver.next_run()
        one_memory.others = (driver.memory,)
        two.append(asyncio.create_task(driver.go()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(posted.wait(), 0.5)
        sde.order("GET", "page=1$", look, times=9)

    async def look():
        if posted.is_set():
            looked.set()

    async def answer_late():
        posted.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(looked.wait(), 0.5)

    sde.order("POST", POST, "drop_before")
    sde.order("POST", POST, answer_late)
    sde.order("GET", "page=1$", None)
    sde.order("GET", "page=1$", begin_the_other)
    one = await driver.go()
    assert one.ended is (await two[0]).ended is Ended.COMPLETED
    assert one_memory.values[memory.JOB] != driver.memory.values[memory.JOB]
    assert len(sde.jobs) == 2


async def test_a_job_that_the_server_gives_twice_is_not_followed_by_two_runs(sde, driver):
    """The server answers with a job that another run here has: that is no job of ours."""
    driver.next_run()
    driver.memory.others[0].values[memory.JOB] = f"101@{host(sde)}"
    outcome = await driver.go()
    assert outcome.ended is Ended.FAILED
    assert "which another run here has" in outcome.reason
