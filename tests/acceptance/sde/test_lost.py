"""The server is away, answers get lost, and the agent is killed: each result arrives once."""

POST = {"method": "POST", "path": "/jobs/alm/"}
READ = {"method": "GET", "path": "/jobs/alm/"}


def test_the_server_is_down_when_the_commands_end(sde, agent):
    """The results wait, over a restart of the agent too; the server has each of them once when it is back."""
    good, bad = sde.connection("good"), sde.connection("bad")
    client = agent()
    client.hold("good", "bad")
    run_id = client.trigger()
    client.process.until(lambda: client.ran() == ["bad", "good"])
    sde.stop()
    client.release()
    client.until(run_id)
    client.until_posted(2, "pending")
    client.process.logged("delivery_failed", target="prod")
    client.stop()
    client.up()
    client.until_posted(2, "pending")
    sde.up()
    client.send_now()
    client.until_posted(2)
    assert (sde.results(good), sde.results(bad)) == ([(True, "")], [(False, "the tracker refused the password")])
    assert client.ran() == ["bad", "good"]


def test_two_runs_while_the_server_does_not_take_results(sde, agent):
    """Identical ones too: all arrive, each once, in their order."""
    good, bad = sde.connection("good"), sde.connection("bad")
    client = agent()
    sde.order("status", POST, status=503, times=None)
    for _ in range(3):
        client.until(client.trigger())
    client.until_posted(6, "pending")
    with sde.process.client() as desk:
        assert desk.delete("/rehearsal/faults").is_success
    client.send_now()
    client.until_posted(6)
    assert sde.results(good) == [(True, "")] * 3
    assert sde.results(bad) == [(False, "the tracker refused the password")] * 3
    ordered = [one["result"]["sde_job"] for one in client.deliveries() if one["result"]["connection"] == good]
    assert ordered == sorted(ordered)


def test_an_answer_that_is_lost(sde, agent):
    """The server has taken it: it is found there, not posted again."""
    good = sde.connection("good")
    lost = sde.order("drop_after", POST)
    client = agent()
    client.until(client.trigger())
    client.until_posted(1, "pending")
    assert (sde.hits(lost), sde.results(good)) == (1, [(True, "")])
    client.send_now()
    (posted,) = client.until_posted(1)
    assert sde.results(good) == [(True, "")]
    assert posted["result"]["sde_job"] == sde.jobs(good)[0]["id"]
    assert len(sde.requests("POST", "/jobs/alm/")) == 1


def test_a_post_that_never_arrived(sde, agent):
    """It is not there, so it is posted again."""
    good = sde.connection("good")
    sde.order("drop_before", POST)
    client = agent()
    client.until(client.trigger())
    client.until_posted(1, "pending")
    assert sde.results(good) == []
    client.send_now()
    client.until_posted(1)
    assert sde.results(good) == [(True, "")]


def test_the_agent_is_killed_before_the_post(sde, agent, settled):
    """SIGKILL after the command ended: the result was in the ledger with its end. After the next start there is one."""
    good = sde.connection("good")
    order = sde.order("delay", READ, seconds=30)
    client = agent()
    run_id = client.trigger()
    sde.until_hit(order)
    assert sde.results(good) == []
    client.process.kill()
    client.up()
    client.until_posted(1)
    assert client.until(run_id)["state"] == "succeeded"
    assert settled(lambda: sde.results(good)) == [(True, "")]
    assert client.ran() == ["good"]


def test_the_agent_is_killed_between_the_post_and_its_answer(sde, agent, settled):
    """SIGKILL after the server has taken it: after the next start it is found there, and not posted again."""
    good = sde.connection("good")
    client = agent()
    client.until(client.trigger())
    client.until_posted(1)
    order = sde.order("delay", POST, seconds=30, when="after")
    client.trigger()
    sde.until_hit(order)
    sde.process.until(lambda: sde.results(good) == [(True, "")] * 2)
    client.process.kill()
    client.up()
    client.until_posted(2)
    assert settled(lambda: sde.results(good)) == [(True, "")] * 2
    assert len(sde.requests("POST", "/jobs/alm/")) == 2
    assert [one["result"]["sde_job"] for one in client.deliveries()] == [job["id"] for job in sde.jobs(good)]
    assert client.ran() == ["good", "good"]


def test_the_agent_is_killed_while_commands_run(sde, agent):
    """What had ended is posted and not run again; what had not is run again, and posted once."""
    good, fine = sde.connection("good"), sde.connection("fine")
    client = agent()
    client.hold("fine")
    run_id = client.trigger()
    client.process.until(lambda: client.ran() == ["fine", "good"])
    client.until_posted(1)
    client.process.kill()
    client.release()
    client.up()
    assert client.until(run_id)["state"] == "succeeded"
    client.until_posted(2)
    assert (sde.results(good), sde.results(fine)) == ([(True, "")], [(True, "")])
    assert client.ran() == ["fine", "fine", "good"]


def test_the_server_is_killed_when_it_has_taken_a_result(sde, agent):
    """SIGKILL of the server before it answers: after its start the result is there, and is found."""
    good = sde.connection("good")
    order = sde.order("delay", POST, seconds=30, when="after")
    client = agent()
    client.trigger()
    sde.until_hit(order)
    sde.process.until(lambda: sde.results(good))
    sde.process.kill()
    client.until_posted(1, "pending")
    sde.up()
    client.send_now()
    client.until_posted(1)
    assert sde.results(good) == [(True, "")]


def test_a_refused_result_is_kept_and_sent_by_hand(sde, agent):
    """The connection's next result is not held up; `jobsd resend` posts it when the server takes it again."""
    bad = sde.connection("bad")
    refusal = {"detail": "You do not have permission to perform this action."}
    sde.order("status", POST, status=403, body=refusal)
    client = agent()
    client.until(client.trigger())
    (refused,) = client.until_posted(1, "refused")
    assert refused["reason"] == "You do not have permission to perform this action. (status 403)"
    assert "You do not have permission" in client.jobsd("deliveries", "--state", "refused")
    assert client.process.logged("delivery_refused")["target"] == "prod"
    client.until(client.trigger())
    client.process.until(lambda: client.deliveries()[-1]["state"] == "delivered")
    client.jobsd("resend", refused["delivery_id"][:8])
    client.until_posted(2)
    assert sde.results(bad) == [(False, "the tracker refused the password")] * 2
    assert "there is nothing to send again" in client.jobsd("resend", refused["delivery_id"], code=1)


def test_a_new_token_of_the_agent(sde, agent):
    """401 is waited out: the server knows another token, then the agent's file has it too, without a restart."""
    good = sde.connection("good")
    client = agent()
    client.hold("good")
    run_id = client.trigger()
    client.process.until(lambda: client.ran() == ["good"])
    (sde.folder / "agent-token").write_text("n3w-token-33333333333333333333333333")
    sde.reload()
    client.release()
    client.until(run_id)
    (waiting,) = client.until_posted(1, "pending")
    client.process.until(lambda: client.deliveries()[0]["reason"])
    assert client.deliveries()[0]["reason"] == "Invalid token. (status 401)"
    (client.folder / "token").write_text("n3w-token-33333333333333333333333333")
    client.jobsd("resend", waiting["delivery_id"])
    client.until_posted(1)
    assert sde.results(good) == [(True, "")]
