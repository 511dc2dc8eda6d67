"""`jobsd db` on ledgers that no daemon has."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config

from config import loads
from scheduler.definitions import decode_none
from scheduler.ledger import Ledger, engine, sync
from scheduler.model import Actor, By

YAML = "version: 1\njobs:\n  - {name: fine, run: {command: {argv: ['true']}}}\n"


@pytest.fixture
def ledger(tmp_path):
    """A ledger with one job, in the folder `state`; returns its path."""
    path = tmp_path / "state" / "ledger.db"
    made = Ledger(path)
    configuration = loads(YAML, file="x", folder=tmp_path)
    at, actor = datetime(2026, 3, 2, tzinfo=UTC), Actor("alice", By.SIGNAL)
    put = lambda c: sync.put_in_force(c, configuration, decode=decode_none, at=at, actor=actor)  # noqa: E731
    asyncio.run(made.write(put))
    made.close()
    return path


def break_it(path):
    """Its job has a definition that is not there."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE jobs SET version_id = 99")
        connection.commit()


def test_a_sound_ledger(jobsd, ledger, tmp_path):
    """Found by the folder, by the file, or where a daemon would put it; nothing on standard output, exit code 0."""
    (tmp_path / "jobs.yaml").write_text(YAML + f"settings: {{ledger: 'sqlite:///{ledger}'}}\n")
    for where in (("--state-dir", "state"), ("-c", "jobs.yaml")):
        found = jobsd("db", "check", *where)
        assert (found.stdout, found.stderr) == (
            "",
            f"{ledger}: sound\n",
        )
    jobsd.environment["STATE_DIRECTORY"] = str(ledger.parent)
    assert json.loads(jobsd("db", "check", "--json").stdout) == {
        "ledger": str(ledger),
        "sound": True,
        "findings": [],
    }
    assert sorted(entry.name for entry in ledger.parent.iterdir()) == ["ledger.db", "lock"]


def test_a_broken_one(jobsd, ledger):
    """Each finding on a line of its own, exit code 1; the same as JSON."""
    break_it(ledger)
    found = jobsd("db", "check", "--state-dir", "state", exit_code=1)
    assert found.stdout == "definitions: job fine: its version 99 is one of another job, or is not there\n"
    assert "1 finding" in found.stderr
    told = json.loads(jobsd("db", "check", "--state-dir", "state", "--json", exit_code=1).stdout)
    assert told["sound"] is False
    assert told["findings"][0] | {"says": ""} == {
        "invariant": "definitions",
        "job": "fine",
        "run_id": None,
        "says": "",
    }


def test_no_ledger(jobsd, tmp_path):
    """Where it was looked for is told, and nothing is made."""
    assert (
        f"there is no ledger at {tmp_path}/state/ledger.db"
        in jobsd("db", "check", "--state-dir", "state", exit_code=1).stderr
    )
    assert "no ledger found; looked at ./.jobsd" in jobsd("db", "check", exit_code=1).stderr
    assert "there is no ledger" in jobsd("db", "upgrade", "--state-dir", "state", exit_code=1).stderr
    assert list(tmp_path.iterdir()) == []


def test_an_older_ledger_is_upgraded(jobsd, tmp_path):
    """`db check` says what to do; `db upgrade` does it and keeps a copy, and a second one finds nothing to do."""
    path = tmp_path / "state" / "ledger.db"
    path.parent.mkdir()
    config = Config()
    config.set_main_option("script_location", str(engine._MIGRATIONS))
    writer = engine.sqlite_engine(path, writer=True)
    with writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    writer.dispose()
    found = jobsd("db", "check", "--state-dir", "state", exit_code=1)
    assert "has schema 0003" in found.stderr
    assert "`jobsd db upgrade` does so without one" in found.stderr
    told = jobsd("db", "upgrade", "--state-dir", "state").stderr
    assert told.startswith(f"{path}: schema 0003 is ")
    (copy,) = path.parent.glob("ledger.db.before-*")
    assert f"a copy is {copy.name}" in told
    assert "nothing to do" in jobsd("db", "upgrade", "--state-dir", "state").stderr
    jobsd("db", "check", "--state-dir", "state")
