"""The bridge to the scheduling loop: what is begun is finished, what is not begun never is."""

import asyncio
import threading
from dataclasses import replace

import pytest

from jobsd.http.service import Unanswered


def test_an_act_that_takes_long_is_not_confirmed_and_goes_on(build, monkeypatch):
    """Whoever asked is told so in time; the work itself is not cut off."""
    monkeypatch.setattr("jobsd.http.service.BEGIN_S", 0.2)
    monkeypatch.setattr("jobsd.http.service.FINISH_S", 0.2)
    house = build()
    done, release = threading.Event(), asyncio.Event()

    async def slow():
        await release.wait()
        done.set()

    with pytest.raises(Unanswered, match="begun and is not confirmed"):
        asyncio.run(house.service.act(slow()))
    assert not done.is_set()
    house.loop.call_soon_threadsafe(release.set)
    assert done.wait(10)


def test_an_act_answers_or_raises_what_its_coroutine_does(build):
    """Results and errors come over from the other loop."""
    house = build()

    async def answer():
        return 42

    async def fail():
        raise KeyError("no")

    assert asyncio.run(house.service.act(answer())) == 42
    with pytest.raises(KeyError):
        asyncio.run(house.service.act(fail()))


def test_a_scheduling_loop_that_is_gone_is_unanswered(build):
    """After the loop is closed an act is refused at once, and its coroutine never runs."""
    house = build()
    gone = asyncio.new_event_loop()
    gone.close()
    ran = []

    async def act():
        ran.append(1)

    with pytest.raises(Unanswered, match="nothing was done"):
        asyncio.run(replace(house.service, loop=gone).act(act()))
    assert ran == []
