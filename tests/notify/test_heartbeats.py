"""Heartbeats of jobs: whoever watches an address hears of each success, and of nothing that is old."""

import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from jobsd import views
from jobsd.notify.heartbeat import call
from runners.web import Unreachable
from scheduler.ledger import jobs

SECRET = "a85e3d7c-6c0f-4f5b-9d6c-0123456789ab"
JOBS = """
version: 1
jobs:
  - name: job
    run: {command: {argv: [/bin/sh, -c, "[ -e FOLDER/good ]"]}}
    notify: {heartbeat: {url: "URL/ping/SECRET", failure: "URL/ping/SECRET/fail"}}
"""


def jobs_of(made, server):
    """The file for this server; the job succeeds while `good` is there."""
    (made.folder / "good").touch()
    return JOBS.replace("FOLDER", str(made.folder)).replace("URL", server.url).replace("SECRET", SECRET)


def called(server):
    """The paths that were called, without the part they share."""
    return [path.removeprefix(f"/ping/{SECRET}") for path, _, _ in server.got]


async def test_each_success_is_called_and_each_failure_where_it_has_an_address(office, web_server, operator):
    """An empty POST with the delivery's id; the address is in no line, no view and not in the ledger's files."""
    made = office()
    with capture_logs() as lines:
        await made.up(jobs_of(made, web_server))
        await made.ran("job")
        await made.carry()
        (made.folder / "good").unlink()
        await made.ran("job")
        await made.carry()
        web_server.answers = [(404, {})]
        await made.ran("job")
        await made.carry()
    assert called(web_server) == ["", "/fail", "/fail"]
    first, second, refused = made.outbox()
    _, headers, body = web_server.got[0]
    assert (headers["Content-Length"], headers["Idempotency-Key"], body) == ("0", first.delivery_id, None)
    assert [(one.about, one.target, str(one.state)) for one in (first, second)] == [
        ("success", web_server.url, "delivered"),
        ("failure", web_server.url, "delivered"),
    ]
    assert (str(refused.state), refused.reason) == ("refused", "it answers 404")
    shown = [views.delivery_detail(one).model_dump_json() for one in made.outbox()]
    version = made.ledger.read(
        lambda c: [dict(row._mapping) for row in c.exec_driver_sql("SELECT * FROM job_versions")]
    )
    files = b"".join(path.read_bytes() for path in made.ledger.path.parent.glob("ledger.db*"))
    for text in (json.dumps(lines, default=str), *shown, repr(version), files.decode("latin-1")):
        assert SECRET not in text
    assert web_server.url in repr(version)


async def test_a_newer_one_takes_the_place_of_those_that_nobody_has_got(office, web_server):
    """The receiver is away over several runs: it hears of the newest only, and the log of the trouble once."""
    made = office()
    await made.up(jobs_of(made, web_server))
    web_server.answers = [(503, {})] * 3
    with capture_logs() as lines:
        for _ in range(3):
            await made.ran("job")
            await made.carry()
            made.clock.advance(timedelta(minutes=10))
        (made.folder / "good").unlink()
        await made.ran("job")
        await made.carry()
    assert called(web_server) == ["", "", "", "/fail"]
    assert made.fates() == [("success", "void")] * 3 + [("failure", "delivered")]
    assert [one.reason for one in made.outbox()][:3] == ["a newer one tells how the job is"] * 3
    assert [line["event"] for line in lines if line["event"].startswith("deliver")] == [
        "delivery_failed",
        "delivered",
    ]


async def test_it_is_given_up_after_an_hour(office, web_server):
    """Who watches has called somebody by then; nor is an old one called after a long downtime."""
    made = office()
    text = jobs_of(made, web_server)
    await made.up(text)
    web_server.answers = [(503, {})] * 100
    await made.ran("job")
    await made.tick(timedelta(minutes=1), minutes=62)
    assert made.fates() == [("success", "refused")]
    assert made.outbox()[0].reason == "given up after 1h: it answers 503"
    await made.ran("job")
    await made.crash()
    web_server.got.clear()
    made = office("2026-03-02T03:00:00Z")
    await made.up(text)
    await made.carry()
    assert web_server.got == []
    assert made.outbox()[1].reason == "given up after 1h: the daemon was down"


async def test_a_crash_repeats_a_call_and_loses_none(office, web_server):
    """Killed before the call, or after it and before that is on the disk: the same id is called after the start."""
    made = office()
    text = jobs_of(made, web_server)
    await made.up(text)
    await made.ran("job")
    await made.crash()
    made = office("2026-03-02T00:01:00Z")
    await made.up(text)
    await made.courier.turn()
    ((_, sending),) = made.courier._sending.values()
    while not web_server.got:
        await made.clock.sleep(timedelta(0))
    sending.cancel()
    await made.crash()
    made = office("2026-03-02T00:02:00Z")
    await made.up(text)
    await made.carry()
    await made.carry()
    assert made.fates() == [("success", "delivered")]
    assert {headers["Idempotency-Key"] for _, headers, _ in web_server.got} == {made.outbox()[0].delivery_id}
    assert len(web_server.got) == 2


async def test_the_address_in_force_is_called(office, web_server):
    """One that was changed while the receiver was away; none when the heartbeat was taken away."""
    made = office()
    text = jobs_of(made, web_server)
    await made.up(text)
    web_server.answers = [(503, {})] * 2
    await made.ran("job")
    await made.carry()
    await made.reload(text.replace("/ping/", "/new/"))
    await made.tick(minutes=1)
    assert [path for path, _, _ in web_server.got] == [f"/ping/{SECRET}", f"/new/{SECRET}"]
    await made.reload(text.partition("    notify")[0])
    await made.tick(minutes=5)
    assert len(web_server.got) == 2
    assert made.outbox()[0].reason == "the job has no heartbeat any more"


async def test_a_job_that_was_renamed_keeps_its_heartbeats_in_order(office, web_server, operator):
    """An older one under the former name is void as soon as there is a newer one."""
    made = office()
    text = jobs_of(made, web_server)
    await made.up(text)
    await made.ran("job")
    await made.ledger.write(
        lambda c: jobs.rename(c, jobs.named(c, "job"), "other", at=made.clock.now(), actor=operator)
    )
    await made.reload(text.replace("name: job", "name: other"))
    await made.ran("other")
    await made.carry()
    assert made.fates() == [("success", "void"), ("success", "delivered")]
    assert called(web_server) == [""]


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/{SECRET}",
        f"http://[::1/{SECRET}",
        f"http://127.0.0.1:99999/{SECRET}",
        f"http://a..b/{SECRET}",
    ],
)
async def test_what_goes_wrong_does_not_say_the_address(url):
    """However the address cannot be used, the words have no more of it than its host."""
    with pytest.raises(Unreachable) as caught:
        await call(url, timedelta(seconds=5))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
