"""The daemon's own heartbeat: called while it does its work, and not a moment longer."""

import asyncio
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from config import loads
from jobsd.daemon import Daemon
from scheduler.clock import ManualClock
from scheduler.model import Actor, By

JOBS = """
version: 1
settings:
  http: {listen: "127.0.0.1:0"}
  HEART
jobs: []
"""
OPERATOR = Actor("tester", By.SIGNAL)
HEART = 'heartbeat: {url: "URL/beat/sEcReT", every: 1m}'


@pytest.fixture
async def alive(tmp_path):
    """A function that starts a daemon on a text, by a manual clock; stopped at the end."""
    made = []

    async def start(text):
        configuration = loads(text, file="jobs.yaml", folder=tmp_path)
        daemon = Daemon(
            configuration, tmp_path / "ledger.db", ManualClock(datetime.fromisoformat("2026-03-02T00:00:00Z"))
        )
        made.append(daemon)
        await daemon.start()
        return daemon

    yield start
    for daemon in made:
        await daemon.stop()


async def until(condition):
    """Wait in real time until `condition()` holds."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_is_called_while_the_daemon_is_ready(alive, web_server, tmp_path):
    """At once, then every minute; not while /readyz would say no; its trouble is told once, without the address."""
    got, heart = web_server.got, HEART.replace("URL", web_server.url)
    text, file = JOBS.replace("HEART", heart), tmp_path / "ledger.db"
    with capture_logs() as lines:

        def told():
            return [line["event"] for line in lines if line["event"].startswith("heartbeat_")]

        def asleep():
            due = daemon.clock.now() + timedelta(minutes=1)
            return any(at == due and not woken.done() for at, _, woken in daemon.clock._sleepers)

        async def minute(condition):
            await until(asleep)
            daemon.clock.advance(timedelta(minutes=1))
            await until(condition)

        daemon = await alive(text)
        await until(lambda: len(got) == 1)
        assert (got[0][0], got[0][2]) == ("/beat/sEcReT", None)
        await minute(lambda: len(got) == 2)
        web_server.answers = [(500, {})] * 2
        await minute(lambda: len(got) == 3)
        await minute(lambda: len(got) == 4)
        await minute(lambda: told() == ["heartbeat_failed", "heartbeat_again"])
        file.rename(tmp_path / "away")
        await until(lambda: not daemon.dispatcher.writable)
        await minute(lambda: told()[2:] == ["heartbeat_withheld"])
        await minute(lambda: True)
        assert len(got) == 5
        (tmp_path / "away").rename(file)
        await until(lambda: daemon.dispatcher.writable)
        await minute(lambda: told()[3:] == ["heartbeat_again"])
        assert await daemon.reload(lambda: loads(text.replace(heart, ""), file="x", folder=tmp_path), OPERATOR)
        await until(lambda: not asleep())
        daemon.clock.advance(timedelta(minutes=1))
        assert len(got) == 6
        assert await daemon.reload(lambda: loads(text, file="x", folder=tmp_path), OPERATOR)
        await until(lambda: len(got) == 7)
    reasons = {
        line["event"]: line["reason"]
        for line in lines
        if line["event"].startswith("heartbeat_") and "reason" in line
    }
    assert reasons["heartbeat_failed"] == "it answers 500"
    assert "cannot be written" in reasons["heartbeat_withheld"]
    assert "sEcReT" not in repr(lines)
    assert len(told()) == 4
