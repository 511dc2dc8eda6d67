"""`/v1/deliveries` against a real server: what is told of the outbox, and sending again."""

from datetime import timedelta

import click
import pytest

from jobsd.cli.deliveries import lines
from scheduler.ledger import deliveries, queries
from scheduler.ledger.deliveries import Fate


@pytest.fixture
def outbox(house):
    """A house with a run, a refused mail and a pending webhook about it, and a delivered mail of another run."""
    first, second = house.ran("hello"), house.ran("hello")
    at = house.clock.now()
    hook = {"url": "https://h.example.com/secret", "token": {"env": "T"}, "payload": {"job": "hello"}}
    mail = {"to": ["a@example.com", "b@example.com"], "sender": None, "subject": "S", "text": "T"}

    def operation(connection):
        run, other = (queries.find_run(connection, one["run_id"]) for one in (first, second))
        more = {"at": at, "about": "success"}
        deliveries.create(
            connection, kind="mail", target="a@example.com, b@example.com", body=mail, run=run, **more
        )
        deliveries.create(connection, kind="webhook", target="https://h.example.com", body=hook, run=run, **more)
        deliveries.create(connection, kind="mail", target="c@example.com", body=mail, run=other, **more)
        progress = {"delivered": ["a@example.com"], "refused": {"b@example.com": "550 no"}}
        deliveries.settle(connection, 1, Fate.REFUSED, at=at, reason="b@example.com: 550 no", progress=progress)
        due_at = at + timedelta(minutes=1)
        deliveries.settle(connection, 2, Fate.PENDING, at=at, reason="it answers 503", due_at=due_at)
        deliveries.settle(connection, 3, Fate.DELIVERED, at=at)

    house.call(house.ledger.write(operation))
    house.first = first["run_id"]
    return house


def test_deliveries_are_listed_by_what_is_asked(outbox):
    """Newest first; by job, run and state, in pages."""

    def numbers(query=""):
        return [one["delivery_no"] for one in outbox.get(f"/v1/deliveries{query}")]

    assert numbers() == [3, 2, 1]
    assert numbers("?job=HELLO&state=refused&state=pending") == [2, 1]
    assert numbers(f"?run={outbox.first}") == [2, 1]
    assert numbers("?limit=2") == [3, 2]
    assert numbers("?limit=2&before=2") == [1]
    assert "there is no job" in outbox.get("/v1/deliveries?job=nobody", status=404)["error"]
    assert outbox.get("/v1/deliveries?state=lost", status=400)["error"].startswith("state")


def test_one_delivery_says_what_it_says_and_no_secret(outbox):
    """A mail with its words and who got it; a webhook without its path and its token."""
    mail, hook = outbox.get("/v1/deliveries/1"), outbox.get("/v1/deliveries/2")
    assert (mail["subject"], mail["text"], mail["timezone"]) == ("S", "T", "America/New_York")
    assert (mail["delivered_to"], mail["refused_by"]) == (["a@example.com"], {"b@example.com": "550 no"})
    assert outbox.get(f"/v1/deliveries/{mail['delivery_id'][:13]}") == mail
    assert hook["payload"] == {"job": "hello"}
    assert (hook["due_at"], hook["tries"]) == ("2026-03-07T12:01:00Z", 1)
    assert "secret" not in str(hook)
    assert "there is no delivery" in outbox.get("/v1/deliveries/99", status=404)["error"]


def test_a_run_has_its_deliveries(outbox):
    """Oldest first, in the run's detail; the page has them too."""
    assert [one["delivery_no"] for one in outbox.get(f"/v1/runs/{outbox.first}")["deliveries"]] == [1, 2]
    page = outbox.http.get(f"/runs/{outbox.first}", headers={"Authorization": "Bearer the-local-token"}).text
    assert "a@example.com, b@example.com" in page
    assert "b@example.com: 550 no" in page
    assert "secret" not in page


def test_sending_again_is_an_act(outbox):
    """Refused and pending ones are due now, with an event that says who asked; another is a conflict."""
    for number in (1, 2):
        again = outbox.post(f"/v1/deliveries/{number}/resend")
        assert (again["state"], again["due_at"]) == ("pending", "2026-03-07T12:00:00Z")
    assert "there is nothing to send again" in outbox.post("/v1/deliveries/3/resend", status=409)["error"]
    outbox.post("/v1/deliveries/none/resend", status=404)
    events = outbox.get(f"/v1/runs/{outbox.first}/events")
    assert [(e["name"], e["actor"], e["by"]) for e in events if e["name"] == "resend"] == [
        ("resend", "local", "api")
    ] * 2
    assert outbox.http.post("/v1/deliveries/1/resend").status_code == 401


@pytest.fixture
def posted(house):
    """A house with a run and two results of it: one refused, one delivered, both with words that are not ours."""
    ran = house.ran("hello")
    at = house.clock.now()

    def operation(connection):
        run = queries.find_run(connection, ran["run_id"])
        for number, succeeded, message in ((12, False, "no <b>route</b>\x1b[2J"), (13, True, "")):
            body = {"server": "prod", "kind": "alm", "connection": number, "succeeded": succeeded}
            more = {"about": "result", "target": "prod", "channel": f"sde:prod:{number}", "at": at, "run": run}
            body["result_message"] = message
            deliveries.create(connection, kind="sde_result", body=body, **more)
        deliveries.settle(connection, 1, Fate.REFUSED, at=at, reason="Not found. (status 404)", progress={})
        deliveries.settle(connection, 2, Fate.DELIVERED, at=at, progress={"baseline": 30, "job": 31})

    house.call(house.ledger.write(operation))
    house.run_id = ran["run_id"]
    return house


def test_a_result_is_told_with_its_server_and_connection(posted):
    """What was posted, of which connection, and the job there that holds it; in the list and in the run's detail."""
    delivered, refused = posted.get("/v1/deliveries")
    assert (refused["kind"], refused["about"], refused["target"]) == ("sde_result", "result", "prod")
    assert refused["result"] == {
        "server": "prod", "kind": "alm", "connection": 12, "succeeded": False,
        "result_message": "no <b>route</b>\x1b[2J", "sde_job": None,
    }  # fmt: skip
    assert refused["reason"] == "Not found. (status 404)"
    assert (delivered["result"]["connection"], delivered["result"]["sde_job"]) == (13, 31)
    assert posted.get("/v1/deliveries/1")["result"] == refused["result"]
    assert posted.get(f"/v1/runs/{posted.run_id}")["deliveries"][1]["result"] == delivered["result"]


def test_a_result_stands_on_the_run_s_page(posted):
    """Its words come from a command: they are text there."""
    page = posted.http.get(f"/runs/{posted.run_id}", headers={"Authorization": "Bearer the-local-token"}).text
    assert "no &lt;b&gt;route&lt;/b&gt;" in page
    assert "<td>prod, alm 12</td>" in page
    assert "<td>sde_result, result: success</td>" in page


def test_results_are_listed_on_the_command_line(posted):
    """Server, connection, outcome, words and reason; nothing that moves the cursor."""
    told = [click.unstyle(line) for line in lines(posted.get("/v1/deliveries"), posted.clock.now())]
    assert told[0].split() == ["DELIVERY", "RUN", "JOB", "ABOUT", "WRITTEN", "STATE", "TO"]
    assert "sde_result, success" in told[1]
    assert told[1].rstrip().endswith("prod: alm 13")
    assert told[2] == "    SDE job 31"
    assert "sde_result, failure" in told[3]
    assert told[4:] == ["    result: no <b>route</b>\\x1b[2J", "    Not found. (status 404)"]


def test_a_refused_result_is_sent_again_by_hand(posted):
    """As any delivery."""
    refused = posted.get("/v1/deliveries/1")
    again = posted.post(f"/v1/deliveries/{refused['delivery_id'][:8]}/resend")
    assert (again["state"], again["result"]) == ("pending", refused["result"])
