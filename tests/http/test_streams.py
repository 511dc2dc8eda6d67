"""Server-sent events, and logs that are followed while they grow."""

import json
import threading
import time

import pytest

from jobsd.views import event_view
from scheduler.ledger import queries


def next_event(lines):
    """The next event of a stream: its id, name and data."""
    event = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if not line and event:
            return int(event["id"]), event["event"], json.loads(event["data"])
        if line:
            key, _, value = line.partition(": ")
            event[key] = value
    return None


def test_events_come_as_they_are_committed(house, bearer):
    """Opening, start and end of a run arrive in order, with ids, names and the journal's data."""
    with house.http.stream("GET", "/v1/events", headers=bearer) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines) == ": connected"
        run = house.post("/v1/jobs/hello/trigger")
        got = [next_event(lines) for _ in range(3)]
    assert [name for _, name, _ in got] == ["open", "start", "succeed"]
    ids = [number for number, _, _ in got]
    assert ids == sorted(set(ids))
    assert all(data["run_id"] == run["run_id"] for _, _, data in got)
    assert got[2][2]["to_state"] == "succeeded"


def test_last_event_id_goes_on_where_a_stream_broke(house, bearer):
    """Everything after that event is sent, also what was committed in between."""
    run = house.ran("hello")
    opened = run["events"][0]["event_id"]
    with house.http.stream("GET", "/v1/events", headers={**bearer, "Last-Event-ID": str(opened)}) as stream:
        lines = stream.iter_lines()
        assert [next_event(lines)[1] for _ in range(2)] == ["start", "succeed"]


def test_events_of_one_job(house, bearer):
    """Other jobs' events are left out; an unknown job is 404."""
    with house.http.stream("GET", "/v1/events?job=NIGHTLY", headers=bearer) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": connected"
        house.ran("hello")
        house.post("/v1/jobs/nightly/pause")
        number, name, data = next_event(lines)
    (row,) = [
        row for row in house.ledger.read(lambda c: queries.events_after(c, 0, limit=100)) if row.name == "pause"
    ]
    assert (number, name) == (row.event_id, "pause")
    assert data == event_view(row).model_dump(mode="json")
    assert "there is no job" in house.get("/v1/events?job=nobody", status=404)["error"]


def test_a_log_is_whole_after_the_run(told, bearer):
    """Plain text, exactly what the command printed."""
    answer = told.http.get(f"/v1/runs/{told.commanded['run_id']}/log", headers=bearer)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "hello\nworld\n"
    assert (
        told.http.get(f"/v1/runs/{told.commanded['run_id']}/log?attempt=1", headers=bearer).text
        == "hello\nworld\n"
    )


def test_a_followed_log_grows_until_the_run_has_ended(house, bearer):
    """What is printed arrives while the command runs; the stream ends with the run."""
    run = house.ran("waiting", "running")
    with house.http.stream("GET", f"/v1/runs/{run['run_id'][:13]}/log?follow=true", headers=bearer) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "first"
        assert house.get(f"/v1/runs/{run['run_id']}")["state"] == "running"
        (house.folder / "go").touch()
        assert list(lines) == ["last"]
    assert house.get(f"/v1/runs/{run['run_id']}")["state"] == "succeeded"


def test_a_log_names_the_attempts_after_the_first(house, bearer):
    """All attempts in order; `attempt` picks one; following one attempt ends with it, though the run goes on."""
    run = house.ran("nightly", "incomplete")
    house.post(f"/v1/runs/{run['run_id']}/rerun")
    house.until(lambda: len([a for a in house.get(f"/v1/runs/{run['run_id']}/attempts") if a["ended"]]) == 2)
    text = house.http.get(f"/v1/runs/{run['run_id']}/log", headers=bearer).text
    first, title, second = text.partition("--- attempt 2 (manual), 2026-03-07T12:00:00Z ---\n")
    assert title
    assert "gone" in first
    assert "gone" in second
    followed = house.http.get(f"/v1/runs/{run['run_id']}/log?attempt=2&follow=true", headers=bearer).text
    assert followed == second


@pytest.mark.parametrize("path", ["/v1/events", "/v1/runs/1/log?follow=true"])
def test_stopping_does_not_wait_for_open_streams(build, bearer, path):
    """A reader that would stay for ever is sent away within 2 s, and sees the end of its stream."""
    house = build()
    house.start()
    house.ran("nightly", "incomplete")
    connected, ended = threading.Event(), threading.Event()

    def read():
        with house.http.stream("GET", path, headers=bearer) as stream:
            for _ in stream.iter_lines():
                connected.set()
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert connected.wait(10)
    began = time.monotonic()
    house.server.stop()
    assert time.monotonic() - began < 2
    assert ended.wait(5)
    reader.join()


def test_too_many_streams_are_refused(house, bearer, monkeypatch):
    """Beyond the limit a further stream gets 503; one that closes makes room."""
    monkeypatch.setattr("jobsd.http.hub.MOST_STREAMS", 2)

    def opened():
        return house.http.stream("GET", "/v1/events", headers=bearer)

    def room():
        with opened() as third:
            return third.status_code == 200

    with opened() as one:
        with opened() as two:
            lines = [one.iter_lines(), two.iter_lines()]
            assert [next(each) for each in lines] == [": connected"] * 2
            assert "2 streams are open" in house.get("/v1/events", status=503)["error"]
        house.until(room)
