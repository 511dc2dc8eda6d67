"""Retention: what is old goes in small steps, what must outlive it stays, and a crash leaves nothing behind."""

import random
import uuid
from collections import Counter
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import structlog

from config import loads
from jobsd.daemon import Daemon
from runners import points
from runners.api import AssetRef
from scheduler.ledger import assets, erasing, pruning, queries, schema, sde_connections
from scheduler.lifecycle import FINAL
from scheduler.retention import EVERY, Retention

FILE = """
version: 1
settings: {retention: {runs: 3d}}
collectors: {host: {collect: [/bin/sh, -c, 'echo data; test ! -e fail']}}
jobs:
  - name: daily
    schedule: {start: 2026-03-02T06:00:00, daily: {}}
    run: {command: {argv: [/bin/sh, -c, 'echo out; test ! -e FAIL']}}
"""
TABLES = ("attempts", "run_assets", "check_results", "run_memory", "events", "deliveries", "sde_jobs")


@pytest.fixture
def text(tmp_path):
    """The file; its command fails while `fail` exists."""
    return FILE.replace("FAIL", str(tmp_path / "fail"))


def keeper(r):
    """Retention over a rig, as the daemon puts it together."""
    folder = r.folder / "state"
    return Retention(
        r.ledger, r.clock, r.dispatcher.eraser, folder / "output", folder / "uploads",
        lambda: r.dispatcher.configuration.settings.retention,
    )  # fmt: skip


def outputs(r):
    """The GUIDs of the runs that have output."""
    return {path.name for path in (r.folder / "state" / "output").iterdir()}


def count(r, table_name, /, **values):
    """How many rows of a table have these values."""
    table = schema.metadata.tables[table_name]
    where = [table.c[column] == value for column, value in values.items()]
    return r.ledger.read(lambda c: c.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar())


def hanging(r):
    """How many rows name a run that is not there, or that are asked for by none."""
    return sum(
        r.ledger.read(
            lambda c, t=schema.metadata.tables[name]: c.execute(
                sa.select(sa.func.count()).where(
                    t.c.run_no.is_not(None), t.c.run_no.not_in(sa.select(schema.runs.c.run_no))
                )
            ).scalar()
        )
        for name in TABLES
    )


async def test_ended_runs_go_by_age_with_all_that_hangs_on_them(rig, text):
    """Rows and output of what ended more than three days ago; the job is known since then only, and it is told once.

    Rule: known-since
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=10)
    before = r.runs()
    assert [run.fire_time.day for run in before] == list(range(2, 12))
    done = await keeper(r).round()
    kept = r.runs()
    assert [run.fire_time.day for run in kept] == [9, 10, 11]
    assert done.runs == 7
    assert outputs(r) == {run.run_id for run in kept}
    assert hanging(r) == 0
    row = r.job("daily")
    assert before[6].fire_time < row.known_since <= kept[0].fire_time
    (told,) = [event for event in r.events if event.name == "pruned"]
    assert told.reason == (
        "deleted by age (retention.runs): 7 runs that ended before 2026-03-09T05:00:00Z, "
        "of 2026-03-02T06:00:00Z to 2026-03-08T06:00:00Z"
    )
    assert (await keeper(r).round()).runs == 0
    await r.tick(days=1)
    assert r.runs()[-1].state == "succeeded"


async def test_the_newest_ended_and_the_newest_succeeded_run_outlive_it(rig, text, tmp_path):
    """However old they are: a job that fails since long still shows when it last did its work."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=3)
    (tmp_path / "fail").touch()
    await r.tick(days=3)
    await r.reload(text + "    enabled: false\n")
    await r.tick(days=400)
    await keeper(r).round()
    assert [(run.fire_time.day, str(run.state)) for run in r.runs()] == [(4, "succeeded"), (7, "failed")]
    assert len(outputs(r)) == 2


async def test_the_newest_data_of_an_asset_outlives_it(rig, toy):
    """Data are not history: an incremental collection may take them for fresh.

    Rule: freshness
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    await r.control.create("toy", {"name": "job", "collect": "host"}, toy.actor)
    for _ in range(2):
        await r.control.trigger("job", toy.actor)
        await r.settle()
        await r.idle()
        r.clock.advance(timedelta(hours=1))
    first = r.runs("job")[0]
    await r.tick(days=5)
    await keeper(r).round()
    assert [run.run_id == first.run_id for run in r.runs("job")] == [False]
    newest = r.ledger.read(lambda c: assets.newest_data(c, AssetRef("a1", "host")))
    assert newest.path.read_text() == "data\n"


async def test_a_round_of_many_steps_tells_each_job_once(rig, text, monkeypatch):
    """Two runs a step, and a few rows a transaction: one event all the same, and each step moves what is known."""
    monkeypatch.setattr(pruning, "MOST_RUNS", 2)
    monkeypatch.setattr(erasing, "MOST_ROWS", 3)
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=10)
    numbers = [run.run_no for run in r.runs()]

    def fill(connection):
        rows = [
            {
                "run_no": n,
                "asset_type": "t",
                "asset_id": str(a),
                "position": a,
                "state": "done",
                "attempt": 1,
                "starts": 1,
                "started_at": r.clock.now(),
                "ended_at": r.clock.now(),
            }
            for n in numbers
            for a in range(5)
        ]
        connection.execute(schema.run_assets.insert(), rows)
        connection.execute(schema.runs.update().values(has_assets=True))

    await r.ledger.write(fill)
    seen, known = [], []
    r.ledger.listen(lambda events: seen.extend(e.name for e in events))
    points.install(lambda point: known.append(r.job("daily").known_since) if point == "prune.after" else None)
    try:
        assert (await keeper(r).round()).runs == 7
    finally:
        points.install(None)
    assert seen == ["pruned"]
    assert len(known) == 4
    assert known == sorted(set(known))
    assert (count(r, "run_assets"), hanging(r)) == (15, 0)


async def test_a_follower_of_the_journal_misses_nothing(rig, text):
    """Ids of events are never given out again, also where the newest ones are those of an old run."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=2)
    first, second = r.runs()
    await r.ledger.write(
        lambda c: c.execute(
            schema.events.insert().values(at=r.clock.now(), name="resend", job_id=first.job_id, from_state="succeeded", to_state="succeeded", run_no=first.run_no,
                                          actor="x", actor_by="cli")
        )
    )  # fmt: skip
    await r.reload(text.replace("{runs: 3d}", "{runs: 1h, events: 1h}") + "    enabled: false\n")
    await r.ledger.write(
        lambda c: c.execute(schema.events.delete().where(schema.events.c.name.in_(["change", "disarm"])))
    )
    read = r.ledger.read(queries.last_event_id)
    r.clock.advance(timedelta(days=9))
    await keeper(r).round()
    assert {run.run_id for run in r.runs()} == {first.run_id, second.run_id}
    assert r.ledger.read(queries.last_event_id) == read


async def test_what_is_still_to_be_delivered_keeps_its_run(rig, text):
    """A run goes once its mails are delivered or refused; with `deliveries` of their own these go by their age."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=3)
    first, second, third = r.runs()

    def write(connection):
        for run, state in ((first, "pending"), (second, "delivered"), (third, "delivered")):
            waits = state == "pending"
            connection.execute(schema.deliveries.insert().values(
                delivery_id=str(uuid.uuid4()), kind="mail", about="failure", target="a@example.com", body={},
                job_id=run.job_id, run_no=run.run_no, state=state, created_at=run.fire_time,
                since_at=run.fire_time, due_at=r.clock.now() if waits else None,
                ended_at=None if waits else run.fire_time,
            ))  # fmt: skip

    await r.ledger.write(write)
    await r.tick(days=10)
    await r.reload(text.replace("{runs: 3d}", "{runs: 3d, deliveries: 12d}"))
    r.clock.set(datetime.fromisoformat("2026-03-15T05:30:00Z"))
    await r.settle()
    await keeper(r).round()
    assert first.run_id in {run.run_id for run in r.runs()}
    table = schema.deliveries
    rows = r.ledger.read(
        lambda c: c.execute(sa.select(table.c.state, table.c.run_no).order_by("delivery_no")).all()
    )
    assert rows == [("pending", first.run_no), ("delivered", None), ("delivered", None)]
    r.clock.advance(timedelta(days=1))
    assert (await keeper(r).round()).deliveries == 1
    await r.ledger.write(
        lambda c: c.execute(table.update().where(table.c.state == "pending").values(
            state="refused", due_at=None, ended_at=r.clock.now()))
    )  # fmt: skip
    await r.reload(text)
    r.clock.advance(timedelta(days=9))
    await keeper(r).round()
    assert first.run_id not in {run.run_id for run in r.runs()}
    assert count(r, "deliveries") == 0


async def test_what_a_channel_is_compared_with_outlives_it(rig, text):
    """The newest notice that arrived, and postings of a connection for which another one still waits."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text.replace("{runs: 3d}", "{deliveries: 1d}"))
    job = r.job("daily").job_id
    rows = [("mail", "late", "delivered"), ("mail", "late", "delivered"), ("mail", "late", "pending"),
            ("sde_result", "result", "delivered"), ("sde_result", "result", "refused"), ("sde_result", "result", "pending"),
            ("mail", "failure", "delivered")]  # fmt: skip

    def write(connection):
        for number, (kind, about, state) in enumerate(rows):
            now, waits = r.clock.now(), state == "pending"
            connection.execute(schema.deliveries.insert().values(
                delivery_id=str(number), kind=kind, about=about, target="x", body={}, job_id=job, state=state,
                channel=None if about == "failure" else kind, created_at=now, since_at=now, tries=0 if waits else 1,
                due_at=now if waits else None, ended_at=None if waits else now,
            ))  # fmt: skip

    await r.ledger.write(write)
    r.clock.advance(timedelta(days=2))
    assert (await keeper(r).round()).deliveries == 2
    query = sa.select(schema.deliveries.c.delivery_id).order_by("delivery_no")
    assert r.ledger.read(lambda c: c.execute(query).scalars().all()) == ["1", "2", "3", "4", "5"]


async def test_events_of_no_run_go_by_their_own_age(rig, text):
    """`retention.events`, or else `runs`; those of runs stay with them."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=2)
    await r.reload(text.replace("{runs: 3d}", "{events: 1d}"))
    await r.tick(days=1)
    of_runs = count(r, "events") - count(r, "events", run_no=None)
    done = await keeper(r).round()
    assert (done.events, done.runs, count(r, "events", name="record")) == (1, 0, 0)
    assert count(r, "events") - count(r, "events", run_no=None) == of_runs


async def test_output_goes_before_its_run(rig, text):
    """`retention.output`: the run and what is known of it stay; a run under way is left alone."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text.replace("{runs: 3d}", "{output: 2d}"))
    await r.tick(days=5)
    kept = keeper(r)
    assert (await kept.round()).outputs == 3
    assert [run.run_id in outputs(r) for run in r.runs()] == [False] * 3 + [True] * 2
    await r.tick(days=1)
    done = await kept.round()
    assert (done.outputs, done.runs, len(r.runs())) == (1, 0, 6)


async def test_an_uploaded_file_goes_when_its_run_is_old(rig, toy):
    """Not while a run of its import is active, nor soon after; other connections have no files.

    Rule: uploads
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE.replace("{runs: 3d}", "{output: 2d}"), decode=toy.decode)
    uploads = r.folder / "state" / "uploads"
    for key in (1, 2):

        def also(connection, row, key=key):
            values = {"connection_id": key, "job_id": row.job_id, "kind": "analysis", "alias": "a", "system": "s",
                      "frequency": "manually", "inaccessible": False, "debug_mode": False, "connector_id": None,
                      "project": None, "params": None, "upload": "report.fpr"}  # fmt: skip
            sde_connections.add(connection, values, at=r.clock.now())

        (uploads / str(key)).mkdir(parents=True)
        (uploads / str(key) / "report.fpr").write_text("x")
        await r.control.create("toy", {"name": f"import {key}"}, toy.actor, also=also)
        await r.control.trigger(f"import {key}", toy.actor)
        await r.settle()
        await r.idle()
        r.clock.advance(timedelta(days=1))
    r.clock.advance(timedelta(hours=1))
    assert (await keeper(r).round()).uploads == 1
    assert [path.name for path in uploads.iterdir()] == ["2"]


STATES = [*sorted(state.value for state in FINAL), "pending", "running", "incomplete"]


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_pruned_is_what_a_plain_walk_says(rig, text, seed):
    """Runs of all kinds and states, ended in any order: old, not the newest ended, not the newest succeeded."""
    r, chance = rig("2026-03-02T05:00:00Z"), random.Random(seed)
    await r.up(text + "".join(f"  - {{name: j{n}, run: {{command: {{argv: ['true']}}}}}}\n" for n in range(5)))
    now = r.clock.now()
    made = []

    def write(connection):
        for row in connection.execute(sa.select(schema.jobs)).all():
            for n in range(chance.choice((0, 1, 2, 40))):
                state = chance.choice(STATES)
                fire = now - timedelta(minutes=chance.randrange(20_000), microseconds=n)
                ended = fire + timedelta(minutes=chance.randrange(3_000)) if state in set(FINAL) else None
                made.append((row.job_id, fire, state, ended))
                connection.execute(schema.runs.insert().values(
                    run_id=str(uuid.uuid4()), job_id=row.job_id, version_id=row.version_id, fire_time=fire,
                    kind=chance.choice(("fire", "manual", "run_now", "posted")), civil=fire.isoformat(), zone="UTC",
                    state=state, opened_at=fire, ended_at=ended, cycle={}, has_assets=False,
                ))  # fmt: skip

    await r.ledger.write(write)
    cutoff = now - timedelta(days=3)
    expected = Counter()
    for job_id, fire, state, ended in made:
        mates = [(f, s) for j, f, s, e in made if j == job_id and e is not None]
        newest = fire == max((f for f, _ in mates), default=None)
        best = state == "succeeded" and fire == max(f for f, s in mates if s == "succeeded")
        expected[ended is None or ended >= cutoff or newest or best] += 1
    with structlog.testing.capture_logs():
        done = await keeper(r).round()
    rows = r.ledger.read(lambda c: c.execute(sa.select(schema.runs.c.job_id, schema.runs.c.fire_time)).all())
    assert (done.runs, len(rows)) == (expected[False], expected[True])
    table = schema.runs
    await r.ledger.write(lambda c: c.execute(table.delete()))


async def test_the_daemon_does_it_from_its_start_and_beside_its_runs(rig, text):
    """A round at the start and one every hour, by the daemon's clock; a run that is due meanwhile starts."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=5)
    await r.down()
    r.clock.advance(timedelta(days=1))
    configuration = loads(
        text.replace("{retention", '{http: {listen: "127.0.0.1:0"}, retention'), file="jobs.yaml", folder=r.folder
    )
    daemon = Daemon(configuration, r.folder / "state" / "ledger.db", r.clock)
    await daemon.start()
    try:

        def days():
            query = sa.select(schema.runs.c.fire_time).order_by(schema.runs.c.fire_time)
            return [at.day for at in daemon.ledger.read(lambda c: c.execute(query).scalars().all())]

        await r.until(lambda: days() == [5, 6, 7])
        await r.until(lambda: any(at == r.clock.now() + EVERY for at, _, _ in r.clock._sleepers))
        r.clock.advance(timedelta(hours=25))
        await r.until(lambda: days() == [6, 7, 8, 9])
    finally:
        await daemon.stop()
