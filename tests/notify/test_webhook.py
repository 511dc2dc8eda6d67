"""Webhooks to a real HTTP server: what is posted, and what each answer means."""

from datetime import timedelta

import pytest

JOBS = """
version: 1
settings: {timezone: Europe/Berlin}
jobs:
  - name: good
    run: {command: {argv: [/bin/true]}}
    notify: {webhook: {url: "URL/hooks/secret-path?x=1", token: TOKEN}}
  - name: bad
    run: {command: {argv: [/bin/sh, -c, "exit 3"]}}
    notify: {webhook: {url: "URL/hooks/secret-path?x=1"}}
  - name: stopped
    run: {command: {argv: [/bin/sleep, "60"]}}
    notify: {webhook: {url: "URL/hooks/secret-path?x=1"}}
"""


def jobs(server, token=None):
    """The file for this server."""
    return JOBS.replace("URL", server.url).replace("TOKEN", token or "{env: HOOK_TOKEN}")


async def test_every_outcome_that_is_notified_is_posted(office, web_server, monkeypatch):
    """Success and failure as JSON, with the token and the delivery's id; what is cancelled is not."""
    monkeypatch.setenv("HOOK_TOKEN", "t0ken")
    made = office()
    await made.up(jobs(web_server))
    run = await made.ran("good")
    await made.ran("bad")
    await made.carry()
    by_about = sorted(web_server.got, key=lambda got: got[2]["about"])  # two at once: in no fixed order
    (_, other, failed), (path, headers, body) = by_about
    first = made.outbox()[0]
    assert path == "/hooks/secret-path?x=1"
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == body["delivery_id"] == first.delivery_id
    assert "Authorization" not in other
    assert (body["about"], body["job"], body["run_id"], body["state"]) == (
        "success",
        "good",
        run.run_id,
        "succeeded",
    )
    assert (body["fire_time"], body["local"]) == ("2026-03-02T00:00:00Z", "2026-03-02T01:00:00+01:00")
    assert (failed["about"], failed["state"]) == ("failure", "failed")
    assert failed["text"].startswith("jobsd: bad failed: ")
    assert first.target == web_server.url
    assert made.fates() == [("success", "delivered"), ("failure", "delivered")]


async def test_what_is_cancelled_is_posted_to_nobody(office, web_server, operator, monkeypatch):
    """An operator's abort is no outcome that anybody is told of."""
    monkeypatch.setenv("HOOK_TOKEN", "t0ken")
    made = office()
    await made.up(jobs(web_server))
    run = await made.control.trigger("stopped", operator)
    await made.control.abort(run.run_id, operator)
    await made.settle()
    assert [str(one.state) for one in made.runs()] == ["cancelled"]
    assert made.outbox() == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_not_now_is_asked_again(office, web_server, status):
    """These answers put it off, no sooner than Retry-After says."""
    web_server.answers = [(status, {"Retry-After": "300"})]
    made = office()
    await made.up(jobs(web_server, "x"))
    await made.ran("bad")
    await made.carry()
    (one,) = made.outbox()
    assert (str(one.state), one.reason) == ("pending", f"it answers {status}")
    assert one.due_at == made.clock.now() + timedelta(seconds=300)
    await made.tick(minutes=4)
    assert len(web_server.got) == 1
    await made.tick(minutes=2)
    assert made.fates() == [("failure", "delivered")]
    assert web_server.got[0][2] == web_server.got[1][2]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
async def test_no_is_not_asked_again(office, web_server, status):
    """These answers will not change by themselves; a redirect is not followed."""
    web_server.answers = [(status, {"Location": web_server.url + "/elsewhere"})]
    made = office()
    await made.up(jobs(web_server, "x"))
    await made.ran("bad")
    await made.carry()
    await made.tick(hours=1)
    assert made.fates() == [("failure", "refused")]
    assert made.outbox()[0].reason.startswith(f"it answers {status}")
    assert len(web_server.got) == 1


async def test_nobody_there_is_asked_again(office, web_server):
    """Without an answer it is tried again."""
    made = office()
    text = jobs(web_server, "x")
    web_server.down()
    await made.up(text)
    await made.ran("bad")
    await made.carry()
    (one,) = made.outbox()
    assert str(one.state) == "pending"
    assert one.reason.startswith("no answer: ")


async def test_a_token_in_the_file_stays_there(office, web_server):
    """A literal token is sent, and never gets into the ledger; without its job it cannot be sent."""
    made = office()
    await made.up(jobs(web_server, "literal-t0ken"))
    await made.ran("good")
    await made.carry()
    assert web_server.got[0][1]["Authorization"] == "Bearer literal-t0ken"
    await made.ran("good")
    await made.reload("version: 1\njobs: []")
    await made.carry()
    assert made.fates() == [("success", "delivered"), ("success", "pending")]
    assert "the token cannot be had" in made.outbox()[1].reason
    await made.down()
    for path in (made.folder / "state").iterdir():
        if path.is_file():
            assert b"literal-t0ken" not in path.read_bytes()


async def test_a_token_that_is_not_there_now_keeps_the_webhook(office, web_server, monkeypatch):
    """Read at each try: it is sent as soon as the token is there."""
    monkeypatch.delenv("HOOK_TOKEN", raising=False)
    made = office()
    await made.up(jobs(web_server))
    await made.ran("good")
    await made.carry()
    assert made.fates() == [("success", "pending")]
    monkeypatch.setenv("HOOK_TOKEN", "t0ken")
    await made.tick(minutes=1)
    assert made.fates() == [("success", "delivered")]
