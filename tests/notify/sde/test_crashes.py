"""The daemon dies at any step of a posting: after its next start there is one job for each result."""

import asyncio
from datetime import timedelta

import pytest

SEEN = {"baseline", "job"}


class Cut:
    """Awaits a coroutine, and cancels it where it waits for the `step`-th time; `reached` tells whether it did.

    With `late` it is cancelled when that wait is over, before it goes on.
    """

    def __init__(self, coroutine, step, *, late):
        self._coroutine, self._step, self._late, self.reached = coroutine, step, late, False

    def __await__(self):
        inner = self._coroutine.__await__()
        send, value, waited = inner.send, None, 0
        while True:
            try:
                waits = send(value)
            except StopIteration as done:
                return done.value
            here, waited = waited == self._step, waited + 1
            self.reached |= here
            if here and not self._late:
                asyncio.current_task().cancel()
            send = inner.send
            try:
                value = yield waits
            except asyncio.CancelledError as error:
                send, value = inner.throw, error
            if here and self._late:
                send, value = inner.throw, asyncio.CancelledError()


async def dies(agent, step, *, late):
    """One try, cut off at that step, its connections closed with it; whether it came so far."""
    courier, cuts = agent.office.courier, []
    deliver = courier._deliver

    async def cut(delivery, note):
        cuts.append(Cut(deliver(delivery, note), step, late=late))
        return await cuts[-1]

    courier._deliver = cut
    await courier.turn()
    await courier.finish()
    courier._deliver = deliver
    await agent.office.postman.aclose()
    await agent.server.settled()
    return any(one.reached for one in cuts)


@pytest.mark.parametrize("late", [False, True])
async def test_a_crash_at_each_step(agent, server, late):
    """Before and after each wait of the poster, and at the same one of the next try."""
    step = 0
    while True:
        await agent.has(12, "")
        reached = await dies(agent, step, late=late)
        if not reached:
            break
        await dies(agent, step, late=late)
        await agent.office.carry()
        step += 1
        assert len(server.jobs) == step, f"at step {step - 1}: {agent.office.outbox()[-1]}"
        assert agent.fates() == ["delivered"] * step
    assert step > 10
    assert len(server.jobs) == step + 1
    assert server.count("POST") > step


@pytest.mark.parametrize("act", ["drop_after", "drop_before", (503, {}, {})])
async def test_a_crash_at_each_step_of_the_second_try(agent, server, act):
    """The first answer was lost: what is known of it holds through the crash."""
    step = 0
    while True:
        await agent.has(12, "")
        server.order("POST", act)
        await agent.office.carry()
        agent.office.clock.advance(timedelta(minutes=1))
        reached = await dies(agent, step, late=False)
        await agent.office.carry()
        step += 1
        assert len(server.jobs) == step
        assert agent.fates() == ["delivered"] * step
        if not reached:
            break
    assert step > 5


async def test_a_restart_between_the_post_and_its_answer(agent, server):
    """The daemon is another one then; it finds what the first one had posted."""
    await agent.has(12, "done")
    await agent.has(12, "done")
    arrived, going = asyncio.Event(), asyncio.get_running_loop()
    gate = asyncio.Event()

    def hangs():
        going.call_soon_threadsafe(arrived.set)
        asyncio.run_coroutine_threadsafe(gate.wait(), going).result(20)

    server.order("POST", hangs)
    await agent.office.courier.turn()
    await arrived.wait()
    tasks = [task for _, task in agent.office.courier._sending.values()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await agent.office.crash()
    gate.set()
    await agent.office.up(agent.file)
    await agent.office.carry()
    assert (server.results(), agent.fates()) == ([(12, True, "done")] * 2, ["delivered"] * 2)
    assert [set(one.body["progress"]) for one in agent.office.outbox()] == [SEEN] * 2
