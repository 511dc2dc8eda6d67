"""The daemon dies before or after anything that outlives it: each job is initiated once, each file sent once."""

import pytest

from runners.api import Ended
from runners.web import AsyncWeb


class DiedError(BaseException):
    """As kill -9: nothing after it outlives it."""


class Fate:
    """Death at the step of that number; requests, memories and reports have a step before and one after them."""

    def __init__(self, step):
        self.step, self.count, self.last = step, 0, ""

    @property
    def dead(self):
        return self.count > self.step

    def around(self, act, name):
        async def fated(*args, **keys):
            self._at(f"before {name}")
            done = await act(*args, **keys)
            self._at(f"after {name}")
            return done

        return fated

    def _at(self, where):
        if not self.dead:
            self.count, self.last = self.count + 1, where
        if self.dead:
            raise DiedError


async def lives_through(driver, fate, attempt):
    """One attempt, or the part of it before that step; then the daemon has started anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncWeb, "request", fated_request(fate))
        for owner, name in (
            (driver.memory, "put"),
            (driver.job_memory, "put"),
            (driver.report, "assets_found"),
            (driver.report, "asset_ended"),
        ):
            patch.setattr(owner, name, fate.around(getattr(owner, name), name), raising=False)
        try:
            outcome = await attempt()
        except DiedError:
            outcome = None
    await driver.restart()
    return outcome


def fated_request(fate):
    send = AsyncWeb.request

    async def request(self, method, path, **what):
        return await fate.around(send, f"{method} {path}")(self, method, path, **what)

    return request


@pytest.mark.parametrize("script", [(2, True, ""), (2, False, "no"), (0, False, "no")])
@pytest.mark.parametrize("fault", [None, "drop_after"])
async def test_a_job_is_initiated_once_wherever_the_daemon_dies(sde, driver, script, fault):
    """A failure that nobody was told of is told by the next attempt: nothing is initiated anew in its place."""
    sde.script, step, dead = script, 0, True
    while dead:
        fate = Fate(step)
        if fault is not None:
            sde.order("POST", "jobs/alm/", fault)
        outcome = await lives_through(driver, fate, driver.go)
        dead, step = fate.dead, step + 1
        outcome = await driver.go() if dead else outcome
        assert len(sde.jobs) == step, fate.last
        assert (outcome.ended is Ended.COMPLETED) is script[1], fate.last
        sde.orders.clear()
        driver.next_run()
    assert step > 8


@pytest.mark.parametrize("succeeds", [True, False])
async def test_a_file_is_sent_once_wherever_the_daemon_dies(sde, driver, succeeds):
    """Also where it was moved away already: it is done then, and not missing."""
    sde.script, step, dead = (1, succeeds, ""), 0, True
    while dead:
        fate = Fate(step)
        names = {f"reports/{name}-{step}.fpr" for name in "ab"}
        for name in names:
            driver.file(name, name.encode())
        await lives_through(driver, fate, lambda: driver.send(move_to="imported"))
        dead, step = fate.dead, step + 1
        if dead:
            left = {asset.id for asset in driver.report.found} - driver.report.states().keys()
            await driver.send(left=left if driver.report.found else None, move_to="imported")
        assert len(sde.uploads) == 2 * step, fate.last
        assert driver.report.states() == dict.fromkeys(names, "done" if succeeds else "failed"), fate.last
        for name in names:
            (driver.folder / name).unlink(missing_ok=True)
        driver.next_run()
    assert step > 20


async def test_a_failure_is_told_once_over_several_deaths(sde, driver):
    """It was told, then attempts died that saw nothing: the next one initiates anew."""
    sde.script = (0, False, "no")
    await driver.go()
    for _ in range(2):
        await lives_through(driver, Fate(0), driver.go)
    assert len(sde.jobs) == 1
    sde.script = (0, True, "")
    assert (await driver.go()).ended is Ended.COMPLETED
    assert len(sde.jobs) == 2


async def test_a_failure_that_two_attempts_saw_and_did_not_live_to_tell(sde, driver):
    """The third tells it."""
    sde.script = (0, False, "no")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "execute", unrecorded(driver))
        for _ in range(3):
            assert (await driver.go()).ended is Ended.FAILED
    assert len(sde.jobs) == 1


def unrecorded(driver):
    """Attempts whose ends are not written down."""
    execute = driver.execute

    async def attempt(run, **how):
        told = driver.told
        outcome = await execute(run, **how)
        driver.told = told
        return outcome

    return attempt
