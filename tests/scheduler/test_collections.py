"""Collections over the whole scheduler: groups, data of other jobs, time-outs, what vanished from the file."""

from datetime import timedelta

from config.definitions import CollectRun, JobDefinition, JobType
from recurrence.schedule import Daily, Schedule
from scheduler.ledger import assets

PASS = '{\\"results\\": [{\\"check\\": \\"seen\\", \\"result\\": \\"pass\\", \\"message\\": \\"$(cat)\\"}]}'
HEAD = """
version: 1
settings: {{kill_after: 1s}}
collectors:
  host:
    collect: [/bin/sh, -c, 'echo $1 >> {folder}/collected; test -e {folder}/bad-$1 && exit 3; while test -e {folder}/hold-$1; do sleep 0.02; done; echo data of $1', sh, "{{asset.id}}"]
    evaluate: [/bin/sh, -c, 'echo "{judge}"', sh, "{{standard}}"]
  router: {{collect: [/bin/echo, "{{asset.id}}"], evaluate: [/bin/sh, -c, 'echo "{judge}"']}}
"""


def head(folder):
    """The collectors; they note what they collect in the file `collected`."""
    return HEAD.format(folder=folder, judge=PASS)


def collected(folder):
    """What was collected, in order; the note is forgotten."""
    file = folder / "collected"
    names = file.read_text().split() if file.exists() else []
    file.unlink(missing_ok=True)
    return names


async def triggered(r, job, actor):
    """A run of the job, once nothing is under way."""
    run = await r.control.trigger(job, actor)
    await r.settle()
    await r.idle()
    return r.runs(job)[-1] if run else None


GROUPS = """
asset_groups:
  all: [{{id: a1, type: host}}, web]
  web: [{members}]
jobs:
  - name: fleet
    schedule: {{start: 2026-03-02T06:00:00, daily: {{every: 1}}, window: 4h, rerun: {{every: 6h, for: 18h}}}}
    run: {{collect: {{asset_groups: [all], standards: [s]}}}}
"""


def fleet(folder, *members):
    """A job over a group within a group."""
    return head(folder) + GROUPS.format(members=", ".join(f"{{id: {name}, type: host}}" for name in members))


async def test_nested_groups_are_frozen_when_the_run_opens(rig, tmp_path):
    """An edit of the group changes neither the run under way nor its rerun; the next run has the new members.

    Rule: edited-during-a-run
    Rule: groups
    """
    (tmp_path / "bad-a2").touch()
    r = rig("2026-03-02T05:59:59Z")
    await r.up(fleet(tmp_path, "a2", "a3"))
    await r.tick(seconds=1)
    assert sorted(collected(tmp_path)) == ["a1", "a2", "a3"]
    assert r.run().state == "incomplete"
    await r.reload(fleet(tmp_path, "a3", "a4"))
    (tmp_path / "bad-a2").unlink()
    await r.tick(hours=6)
    assert collected(tmp_path) == ["a2"]
    assert r.run().state == "succeeded"
    assert list(r.assets(r.run())) == ["a1", "a2", "a3"]
    await r.tick(hours=18)
    assert list(r.assets(r.runs()[-1])) == ["a1", "a3", "a4"]
    assert sorted(collected(tmp_path)) == ["a1", "a3", "a4"]


SHARED = """
jobs:
  - {{name: gather, run: {{collect: {{type: CollectionJob, assets: [{{id: a1, type: host}}]}}}}}}
  - name: weekly
    run: {{collect: {{assets: [{{id: a1, type: host}}, {{id: a2, type: host}}], standards: [s], incremental: 7d}}}}
  - {{name: routers, run: {{collect: {{assets: [{{id: a1, type: router}}], standards: [s], incremental: 7d}}}}}}
  - name: judge
    run: {{collect: {{type: EvaluationJob, assets: [{{id: a1, type: host}}, {{id: a3, type: host}}], standards: [s]}}}}
"""


def messages(r, run):
    """What the evaluators saw, by asset."""
    found = r.ledger.read(lambda c: assets.results(c, run.run_no))
    return {ref.id: result.message for ref, result in found}


async def test_data_of_any_job_is_fresh_and_judged(rig, tmp_path, operator):
    """By id and type; a fresh asset is not collected again and evaluated all the same; after a week it is collected.

    Rule: freshness
    """
    r = rig()
    await r.up(head(tmp_path) + SHARED.format())
    await triggered(r, "gather", operator)
    assert collected(tmp_path) == ["a1"]
    await r.tick(days=6)
    run = await triggered(r, "weekly", operator)
    assert collected(tmp_path) == ["a2"]
    assert (run.state, r.tally(run)) == ("succeeded", {"fresh": 1, "done": 1})
    assert messages(r, run) == {"a1": "data of a1", "a2": "data of a2"}
    run = await triggered(r, "routers", operator)
    assert (r.tally(run), messages(r, run)) == ({"done": 1}, {"a1": "a1"})
    await r.tick(days=1)
    run = await triggered(r, "weekly", operator)
    assert collected(tmp_path) == ["a1"]
    assert r.tally(run) == {"fresh": 1, "done": 1}


async def test_an_evaluation_takes_the_newest_data_of_any_job(rig, tmp_path, operator):
    """However old; an asset of which no job has data is unreachable, and nothing is collected.

    Rule: evaluation-job
    """
    r = rig()
    await r.up(head(tmp_path) + SHARED.format())
    await triggered(r, "gather", operator)
    collected(tmp_path)
    await r.tick(days=400)
    run = await triggered(r, "judge", operator)
    assert collected(tmp_path) == []
    found = r.assets(run)
    assert (found["a1"].state, found["a3"].state) == ("done", "unreachable")
    assert found["a3"].reason == "no collected data"
    assert messages(r, run) == {"a1": "data of a1"}


TIMED = """
jobs:
  - name: timed
    schedule: {{start: 2026-03-02T06:00:00, daily: {{every: 1}}, window: 6h, rerun: {{every: 6h, for: 18h}}}}
    run:
      collect: {{assets: [{{id: a1, type: host}}, {{id: a2, type: host}}, {{id: a3, type: host}}], standards: [s],
                collection_timeout: 1h30m, parallel: 2, asset_timeout: 24h}}
"""


async def test_the_end_of_collecting_leaves_the_rest_to_the_rerun(rig, tmp_path):
    """At `collection_timeout` what is collected is judged, what is not stays open and is rerun; nothing fails.

    Rule: collection-timeout
    """
    (tmp_path / "hold-a2").touch()
    (tmp_path / "hold-a3").touch()
    r = rig("2026-03-02T05:59:59Z")
    await r.up(head(tmp_path) + TIMED.format())
    await r.tick(seconds=1, wait=False)
    await r.until(lambda: r.tally(r.run())["done"] == 1 and "a3" in (tmp_path / "collected").read_text())
    await r.tick(minutes=89, wait=False)
    assert r.run().state == "running"
    await r.tick(minutes=1, wait=False)
    await r.until(
        lambda: "[a3] open" in (r.folder / "state" / "output" / r.run().run_id / "1/output.log").read_text()
    )
    await r.idle()
    run = r.run()
    assert (run.state, r.tally(run)) == ("incomplete", {"done": 1, "open": 2})
    assert run.reason == "collecting ended after 1h 30m (collection_timeout): 2 of 3 assets left"
    assert run.stop_requested_at is None
    (tmp_path / "hold-a2").unlink()
    (tmp_path / "hold-a3").unlink()
    collected(tmp_path)
    await r.tick(hours=5)
    assert (r.run().state, sorted(collected(tmp_path))) == ("succeeded", ["a2", "a3"])


ALIVE = "jobs:\n  - {{name: alive, schedule: {{start: 2026-03-02T06:00:00, daily: {{every: 1}}}}, run: {{command: {{argv: ['true']}}}}}}\n"


def decode(_origin, source, _configuration):
    """A job of an API over the group `web`, whatever the file says of it now."""
    run = CollectRun(type=JobType.COLLECTION, asset_groups=("web",))
    return JobDefinition(name=source["name"], schedule=Schedule(rule=Daily(), zone="UTC"), run=run)


async def test_a_group_that_vanished_fails_by_name_and_stops_nobody_else(rig, tmp_path, toy):
    """A run over nothing must not pass for done; the other jobs fire, and a group that is back is collected."""
    group = "asset_groups: {web: [{id: a1, type: host}]}\n"
    r = rig("2026-03-01T06:00:00Z")
    await r.up(head(tmp_path) + group + ALIVE.format(), decode=decode)
    await r.control.create("toy", {"name": "over-web"}, toy.actor)
    await r.reload(head(tmp_path) + ALIVE.format())
    await r.tick(days=1)
    assert [str(run.state) for run in r.runs("alive")] == ["succeeded"]
    run = r.run("over-web")
    assert run.state == "expired"
    (gone,) = r.assets(run).values()
    assert (gone.asset.id, gone.state) == ("web", "failed")
    assert gone.reason == "no collector for assets of type 'asset group that is gone' (collectors:)"
    await r.reload(head(tmp_path) + group + ALIVE.format())
    await r.tick(days=1)
    assert [str(run.state) for run in r.runs("over-web")] == ["expired", "succeeded"]
    assert collected(tmp_path) == ["a1"]


async def test_a_collector_that_vanished_fails_its_assets_and_not_the_attempt(rig, tmp_path, toy):
    """The reason names the type; no retry helps, so none is made; the definition stays."""
    r = rig()
    await r.up(head(tmp_path), decode=toy.decode)
    await r.control.create("toy", {"name": "over-hosts", "collect": "host"}, toy.actor)
    assert (await triggered(r, "over-hosts", toy.actor)).state == "succeeded"
    await r.reload("version: 1\n" + ALIVE.format())
    run = await triggered(r, "over-hosts", toy.actor)
    (asset,) = r.assets(run).values()
    assert (asset.state, asset.reason) == ("failed", "no collector for assets of type 'host' (collectors:)")
    (attempt,) = r.attempts(run)
    assert attempt.ended == "completed"
    r.clock.advance(timedelta(minutes=1))
    await r.reload(head(tmp_path))
    assert (await triggered(r, "over-hosts", toy.actor)).state == "succeeded"
