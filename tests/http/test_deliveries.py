"""`/v1/deliveries` against a real server: what is told of the outbox, and sending again."""

from datetime import timedelta

import pytest

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
