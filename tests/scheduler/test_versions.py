"""What a job was is kept, and so is what a ledger was before a newer program changed it."""

import sqlite3

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from scheduler.ledger import Ledger, engine, schema

TEXT = """
version: 1
jobs:
  - name: daily
    schedule: {{start: 2026-03-02T06:00:00, daily: }}
    run: {{command: {{argv: ["true", "{word}"], stdin: {word}}}}}
"""


async def test_runs_point_to_the_definition_that_they_were_made_by(rig):
    """Of three runs two are of the first definition; an edit makes a second one, with a digest and a body of its own.

    Rule: versions
    """
    r = rig("2026-03-02T00:00:00Z")
    await r.up(TEXT.format(word="one"))
    await r.tick(days=2)
    await r.reload(TEXT.format(word="two"))
    await r.tick(days=1)
    rows = r.ledger.read(lambda c: c.execute(schema.job_versions.select().order_by(sa.text("version_id"))).all())
    first, second = rows
    assert [run.version_id for run in r.runs()] == [first.version_id, first.version_id, second.version_id]
    assert first.digest != second.digest
    assert [row.body["run"]["argv"][1] for row in rows] == ["one", "two"]


def test_an_older_ledger_is_copied_and_upgraded_at_start(tmp_path):
    """What an older program wrote is there under the new schema, and beside it as it was.

    Rule: upgrade
    """
    path = tmp_path / "ledger.db"
    config = Config()
    config.set_main_option("script_location", str(engine._MIGRATIONS))
    older = sa.create_engine(f"sqlite:///{path}")
    with older.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sa.text("INSERT INTO health (owner, alive_at) VALUES ('me', '2026-03-02 00:00:00')"))
    older.dispose()
    made = Ledger(path)
    assert made.read(lambda c: c.execute(schema.health.select()).one()).owner == "me"
    made.close()
    (copy,) = tmp_path.glob("ledger.db.before-*")
    with sqlite3.connect(copy) as was:
        assert was.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert was.execute("SELECT owner FROM health").fetchall() == [("me",)]
    was.close()
    Ledger(path).close()
    assert list(tmp_path.glob("ledger.db.before-*")) == [copy]
