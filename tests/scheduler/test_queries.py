"""The reading queries, on a real ledger whose rows are written by the ledger's own operations."""

from datetime import UTC, datetime, timedelta

import pytest

from config import loads
from recurrence.schedule import Occurrence
from runners.api import AssetRef, AssetReport, AssetState, CheckResult, Verdict
from scheduler.definitions import decode_none
from scheduler.ledger import Ledger, NotFound, assets, attempts, covering, jobs, queries, runs, sync
from scheduler.lifecycle import Move, State
from scheduler.model import Actor, By, Cause, Cycle, Kind

NOON = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
WHO = Actor("tester", By.CLI, "here")
WEB = [AssetRef(f"web-{number}", "linux") for number in range(1, 4)]
TEXT = """
version: 1
jobs:
  - {name: alpha, run: {command: {argv: [/bin/true]}}}
  - {name: beta, run: {command: {argv: [/bin/true]}}}
"""


class Book:
    """A ledger with two jobs, and short ways to write runs into it."""

    def __init__(self, folder):
        self.ledger = Ledger(folder / "ledger.db")
        self.configuration = loads(TEXT, file="jobs.yaml", folder=folder)

    async def open(self):
        """Record the jobs."""
        await self.ledger.write(
            lambda c: sync.put_in_force(c, self.configuration, decode=decode_none, at=NOON, actor=WHO)
        )

    async def run(self, job, hours, *, kind=Kind.FIRE, state=State.PENDING, refs=()):
        """A run of `job` whose fire time lies `hours` after noon."""
        at = NOON + timedelta(hours=hours)
        new = runs.NewRun(
            kind=kind, occurrence=Occurrence(at, at.replace(tzinfo=None)), zone="UTC", cycle=Cycle(), state=state,
            assets=refs, has_assets=bool(refs),
        )  # fmt: skip
        return await self.ledger.write(lambda c: runs.open_run(c, jobs.named(c, job), new, at=at, actor=WHO))

    async def work(self, run, states, verdicts=()):
        """One attempt at `run` that settles its assets, in their order, as `states` says, and leaves the rest."""
        at = run.fire_time

        def operation(c):
            started = attempts.start(c, run.run_no, Cause.FIRE, at=at, owner="me", actor=WHO)
            results = tuple(CheckResult("cis", f"check-{i}", verdict) for i, verdict in enumerate(verdicts))
            for asset, state in zip(started.assets, states, strict=False):
                covered = results if state in assets.COVERED else ()
                report = AssetReport(asset, state, "" if covered else "why not", at, at, covered)
                attempts.asset_ended(c, started.attempt.token, report)
            return runs.move(c, run.run_no, Move.LEAVE, at=at, actor=WHO, reason="left")

        return await self.ledger.write(operation)

    def read(self, operation, *args, **more):
        """Run a query."""
        return self.ledger.read(lambda c: operation(c, *args, **more))

    def job_id(self, name):
        """Its id."""
        return self.read(jobs.named, name).job_id


@pytest.fixture
async def book(tmp_path):
    """A ledger with the jobs alpha and beta."""
    made = Book(tmp_path)
    await made.open()
    yield made
    made.ledger.close()


async def test_runs_come_newest_fire_time_first_whatever_their_kind(book):
    """A run recorded later for an earlier fire time stands where its fire time says; pages join without a gap."""
    for hours, kind in ((3, Kind.FIRE), (1, Kind.FIRE), (2, Kind.MANUAL), (4, Kind.MANUAL), (0, Kind.RUN_NOW)):
        await book.run("alpha", hours, kind=kind)
    await book.run("beta", 2.5)

    def hours(found):
        return [(run.fire_time - NOON) / timedelta(hours=1) for run in found]

    for job_id, expected in ((None, [4, 3, 2.5, 2, 1, 0]), (book.job_id("alpha"), [4, 3, 2, 1, 0])):
        which = queries.RunFilter(job_id=job_id)
        whole = book.read(queries.list_runs, which, limit=10)
        assert hours(whole) == expected
        paged, last = [], None
        while page := book.read(queries.list_runs, which, limit=2, before=last):
            paged += page
            last = page[-1]
        assert paged == whole
    since = queries.RunFilter(job_id=book.job_id("alpha"), since=NOON + timedelta(hours=2))
    assert hours(book.read(queries.list_runs, since, limit=10)) == [4, 3, 2]


async def test_runs_by_state(book):
    """Only the states asked for; the active ones have a short way."""
    await book.run("alpha", 1, state=State.MISSED)
    pending = await book.run("alpha", 2)
    which = queries.RunFilter(states=frozenset({State.MISSED, State.SKIPPED}))
    assert [run.state for run in book.read(queries.list_runs, which, limit=10)] == [State.MISSED]
    assert book.read(queries.active_runs) == [pending]
    later = await book.run("beta", 3)
    which = queries.RunFilter(states=frozenset({State.PENDING, State.RUNNING}))
    assert book.read(queries.list_runs, which, limit=10) == [later, pending]
    assert book.read(queries.list_runs, which, limit=1) == [later]
    assert book.read(queries.list_runs, which, limit=1, before=later) == [pending]
    since = queries.RunFilter(states=frozenset({State.PENDING}), since=later.fire_time)
    assert book.read(queries.list_runs, since, limit=10) == [later]


async def test_the_latest_run_of_each_job(book):
    """By fire time over all kinds; a job without runs is left out."""
    await book.run("alpha", 5)
    await book.run("alpha", 1, kind=Kind.MANUAL)
    latest = book.read(queries.latest_runs, [book.job_id("alpha"), book.job_id("beta")])
    assert {job_id: run.fire_time for job_id, run in latest.items()} == {
        book.job_id("alpha"): NOON + timedelta(hours=5)
    }


async def test_a_run_is_found_by_number_guid_and_prefix(book):
    """An empty, an ambiguous and an unknown key are NotFound, also keys that SQL would take for a pattern."""
    one = await book.run("alpha", 1)
    await book.run("alpha", 2)
    for key in (str(one.run_no), one.run_id, one.run_id[:18], one.run_id.upper()):
        assert book.read(queries.find_run, key) == one
    for key in ("", "%", "_", "zzz", "9" * 30, "٣"):
        with pytest.raises(NotFound):
            book.read(queries.find_run, key)


async def test_jobs_by_name_in_pages(book):
    """Case does not matter; only known names of those asked for."""
    assert [row.name for row in book.read(queries.list_jobs)] == ["alpha", "beta"]
    assert [row.name for row in book.read(queries.list_jobs, {"BETA", "gamma"})] == ["beta"]
    assert [row.name for row in book.read(queries.list_jobs, after="ALPHA", limit=5)] == ["beta"]
    assert [row.name for row in book.read(queries.list_jobs, {"alpha", "beta"}, limit=1)] == ["alpha"]


async def test_events_after_a_point(book):
    """Ids ascend; each event names its job, its run and its actor."""
    point = book.read(queries.last_event_id)
    run = await book.run("alpha", 1)
    (event,) = book.read(queries.events_after, point, limit=10)
    assert event.event_id == book.read(queries.last_event_id) > point
    assert (event.name, event.job, event.run_id, event.to_state) == ("open", "alpha", run.run_id, State.PENDING)
    assert event.actor == WHO
    assert book.read(queries.events_of_run, run.run_no) == [event]


async def test_coverage_takes_the_newest_word_on_each_asset(book):
    """The last state is the newest run's; who covered an asset last may be an older run, and results are its."""
    done, failed = AssetState.DONE, AssetState.FAILED
    first = await book.run("alpha", 1, refs=WEB[:2])
    await book.work(first, [done, done], [Verdict.PASS, Verdict.FAIL])
    second = await book.run("alpha", 2, kind=Kind.MANUAL, refs=WEB[:2])
    await book.work(second, [failed, AssetState.FRESH], [Verdict.PASS])
    await book.run("alpha", 3, state=State.SKIPPED, refs=WEB)
    other = await book.run("beta", 4, refs=WEB)
    await book.work(other, [done, done, done], [Verdict.ERROR])
    found = book.read(covering.covering, book.job_id("alpha"), WEB)
    assert found.latest.run_id == second.run_id
    one, two, three = found.assets
    assert (one.state, one.reason, one.last.run_id, one.covered.run_id) == (
        failed, "why not", second.run_id, first.run_id,
    )  # fmt: skip
    assert one.results == {Verdict.PASS: 1, Verdict.FAIL: 1}
    assert (two.state, two.covered.run_id, two.results) == (AssetState.FRESH, second.run_id, {Verdict.PASS: 1})
    assert (three.state, three.last, three.covered) == (None, None, None)


async def test_coverage_reaches_back_beyond_the_recent_runs(book):
    """An asset last covered a hundred runs ago is found."""
    first = await book.run("alpha", 0, refs=WEB[:2])
    await book.work(first, [AssetState.DONE, AssetState.DONE])
    for hours in range(1, 100):
        await book.work(await book.run("alpha", hours, refs=WEB[:1]), [AssetState.UNREACHABLE])
    one, two = book.read(covering.covering, book.job_id("alpha"), WEB[:2]).assets
    assert (one.state, one.covered.run_id) == (AssetState.UNREACHABLE, first.run_id)
    assert (two.state, two.last.run_id, two.covered.run_id) == (AssetState.DONE, first.run_id, first.run_id)
