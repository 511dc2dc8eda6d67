"""Results that a server will not take: kept with its words, out of the others' way, repeatable by hand."""

import pytest

WORDS = {
    400: (
        {"connection": ['Invalid pk "12" - object does not exist.']},
        'Invalid pk "12" - object does not exist.',
    ),
    403: ({"detail": "You do not have permission to perform this action."}, "You do not have permission"),
    404: ({"detail": "Not found."}, "Not found."),
}


@pytest.mark.parametrize("status", sorted(WORDS))
async def test_a_refused_result_is_kept_and_makes_way(agent, server, operator, status):
    """It is not tried again by itself; the next one of the connection goes; by hand it is sent once more."""
    body, words = WORDS[status]
    server.order("POST", (status, body, {}))
    await agent.has(12, "first")
    await agent.has(12, "second")
    await agent.office.carry()
    await agent.office.tick(hours=2)
    assert (server.results(), agent.fates()) == ([(12, True, "second")], ["refused", "delivered"])
    one = agent.office.outbox()[0]
    assert words in one.reason
    assert one.reason.endswith(f"(status {status})")
    await agent.resend(1, operator)
    await agent.office.carry()
    assert server.results() == [(12, True, "second"), (12, True, "first")]
    assert agent.fates() == ["delivered"] * 2


@pytest.mark.parametrize("status", sorted(WORDS))
async def test_jobs_that_may_not_be_read_are_a_refusal_too(agent, server, operator, status):
    """Without them nobody could tell whether a result arrived: nothing is posted."""
    body, words = WORDS[status]
    server.order("GET", (status, body, {}))
    await agent.has(12, "done")
    await agent.office.carry()
    assert (server.count("POST"), agent.fates()) == (0, ["refused"])
    assert agent.office.outbox()[0].reason.startswith("it is not posted, for the connection's jobs cannot be read")
    assert words in agent.office.outbox()[0].reason
    await agent.resend(1, operator)
    await agent.office.carry()
    assert (server.results(), agent.fates()) == ([(12, True, "done")], ["delivered"])


async def test_a_resend_after_a_refusal_begins_anew(agent, server, operator):
    """An identical result that went meanwhile, ours or another agent's, is not taken for it."""
    server.order("POST", (403, {}, {}))
    await agent.has(12, "done")
    await agent.has(12, "done")
    await agent.office.carry()
    server.add(12, "done")
    assert (len(server.jobs), agent.fates()) == (2, ["refused", "delivered"])
    await agent.resend(1, operator)
    server.order("POST", "drop_before")
    await agent.office.carry()
    await agent.office.tick(minutes=2)
    assert (len(server.jobs), agent.fates()) == (3, ["delivered"] * 2)


async def test_a_refusal_after_a_lost_answer_keeps_what_is_known_where_it_cannot_look(agent, server, operator):
    """The result had been taken, then the jobs may not be read: a resend looks, and finds it."""
    server.order("POST", "drop_after")
    await agent.has(12, "done")
    await agent.office.carry()
    server.order("GET", (403, {}, {}))
    await agent.office.tick(minutes=2)
    assert (agent.fates(), agent.progress()) == (["refused"], {"baseline": 0})
    await agent.resend(1, operator)
    await agent.office.carry()
    assert (server.count("POST"), agent.fates()) == (1, ["delivered"])


async def test_a_refusal_of_the_second_post_keeps_what_is_known_of_the_first(agent, server, operator):
    """The first had been taken, but was not shown yet when it was looked for: a resend looks, and finds it."""
    server.order("POST", "drop_after", (403, {}, {}))
    await agent.has(12, "done")
    await agent.office.carry()
    server.order("GET", (200, {"results": []}, {}))
    await agent.office.tick(minutes=2)
    assert (server.count("POST"), agent.fates()) == (2, ["refused"])
    await agent.resend(1, operator)
    await agent.office.carry()
    assert (server.results(), agent.fates()) == ([(12, True, "done")], ["delivered"])


async def test_what_went_after_a_result_that_was_given_up_is_not_taken_for_it(agent, server, operator):
    """Its POST was lost, it was refused, and an identical one arrived: at the resend both are told apart."""
    server.order("POST", "drop_before")
    await agent.has(12, "done")
    await agent.has(12, "done")
    await agent.office.carry()
    server.order("GET", (403, {}, {}))
    await agent.office.tick(minutes=2)
    assert (len(server.jobs), agent.fates()) == (1, ["refused", "delivered"])
    await agent.resend(1, operator)
    await agent.office.carry()
    assert (len(server.jobs), agent.fates()) == (2, ["delivered"] * 2)


async def test_an_older_one_that_is_resent_in_the_middle_of_a_younger_one(agent, server, operator):
    """The younger one's POST was lost; the older one goes first then, and its job is not taken for the other's."""
    server.order("POST", (403, {}, {}), "drop_before")
    await agent.has(12, "done")
    await agent.has(12, "done")
    await agent.office.carry()
    assert (agent.fates(), agent.progress()) == (["refused", "pending"], {"baseline": 0})
    await agent.resend(1, operator)
    await agent.office.carry()
    assert (len(server.jobs), agent.fates()) == (1, ["delivered", "pending"])
    await agent.office.tick(minutes=2)
    assert (len(server.jobs), agent.fates()) == (2, ["delivered"] * 2)


async def test_a_refusal_that_was_resent_in_vain_is_refused_again(agent, server, operator):
    """As often as an operator likes; nothing arrives twice."""
    server.order("POST", *[(400, {"connection": ["?"]}, {})] * 3)
    await agent.has(12, "done")
    await agent.office.carry()
    for _ in range(2):
        await agent.resend(1, operator)
        await agent.office.carry()
        assert (agent.fates(), server.jobs) == (["refused"], [])
    await agent.resend(1, operator)
    await agent.office.carry()
    assert (len(server.jobs), agent.fates()) == (1, ["delivered"])
