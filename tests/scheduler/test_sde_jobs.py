"""Runs of connections as jobs of the SDE API, on a real ledger whose rows are written by the ledger's own operations."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from config import loads
from recurrence.schedule import Occurrence
from scheduler.definitions import decode_none
from scheduler.ledger import (
    Ledger,
    NotFound,
    attempts,
    erasing,
    history,
    jobs,
    runs,
    schema,
    sde_connections,
    sde_jobs,
    sync,
)
from scheduler.ledger.sde_jobs import SERVICE_USER, Wanted
from scheduler.lifecycle import Move, State
from scheduler.model import Actor, By, Cause, Cycle, Kind

NOON = datetime(2026, 3, 7, 12, 0, 0, 250, tzinfo=UTC)
WHO = Actor("tester", By.API)
CONNECTIONS = {
    1: ("tracker", "alm", 7),
    2: ("other", "alm", 8),
    3: ("scanner", "analysis", 7),
    4: ("people", "ldap", None),
}
TEXT = "version: 1\njobs:\n" + "".join(
    f"  - {{name: {name}, run: {{command: {{argv: [/bin/true]}}}}}}\n"
    for name in ("plain", *(name for name, _, _ in CONNECTIONS.values()))
)


class Book:
    """A ledger with four connections and a job that is none."""

    def __init__(self, folder):
        self.ledger = Ledger(folder / "ledger.db")
        self.configuration = loads(TEXT, file="jobs.yaml", folder=folder)

    async def open(self):
        """Record them."""

        def operation(c):
            sync.put_in_force(c, self.configuration, decode=decode_none, at=NOON, actor=WHO)
            for key, (name, kind, project) in CONNECTIONS.items():
                values = {
                    "connection_id": key, "job_id": jobs.named(c, name).job_id, "kind": kind, "alias": name,
                    "connector_id": None, "project": project, "system": "jira", "frequency": "daily",
                    "inaccessible": False, "debug_mode": False, "params": None, "upload": None,
                }  # fmt: skip
                sde_connections.add(c, values, at=NOON)

        await self.ledger.write(operation)

    async def run(self, job, minutes=0, *, kind=Kind.FIRE, state=State.PENDING, kept=None, move=None, reason="r"):
        """A run of `job`, opened so long after noon; `move` starts it and ends it so; `kept` is the API's row."""
        at = NOON + timedelta(minutes=minutes)
        new = runs.NewRun(
            kind=kind, occurrence=Occurrence(at, at.replace(tzinfo=None)), zone="UTC", cycle=Cycle(), state=state,
            reason=reason if state is not State.PENDING else "",
        )  # fmt: skip

        def operation(c):
            run = runs.open_run(c, jobs.named(c, job), new, at=at, actor=WHO)
            if kept is not None:
                sde_jobs.add(c, run.run_no, **kept)
            if move is not None:
                attempts.start(c, run.run_no, Cause.FIRE, at=at + timedelta(seconds=5), owner="me", actor=WHO)
            if isinstance(move, Move):
                runs.move(c, run.run_no, move, at=at + timedelta(seconds=9), actor=WHO, reason=reason)
            return run.run_no

        return await self.ledger.write(operation)

    def read(self, operation, *args, **more):
        """Run a query."""
        return self.ledger.read(lambda c: operation(c, *args, **more))

    def numbers(self, **wanted):
        """The ids of the jobs that are wanted, in their order; their count is compared."""
        found = self.ledger.read(lambda c: [job.run_no for job in sde_jobs.page(c, Wanted(**wanted))])
        assert self.read(sde_jobs.count, Wanted(**wanted)) == len(found)
        return found


@pytest.fixture
async def book(tmp_path):
    """A ledger with connections."""
    made = Book(tmp_path)
    await made.open()
    yield made
    made.ledger.close()


def by(who="a@example.com", *, automatic=False, attachment=None):
    """What the API keeps."""
    return {"automatic": automatic, "user": who, "triggered_by": who, "attachment": attachment}


async def test_shown_is_what_has_started_or_was_asked_for(book):
    """A frequency's run that waits is no job yet, one that was missed never; one that was initiated is from the start."""
    await book.run("plain", move=Move.SUCCEED)
    await book.run("tracker", 1, state=State.MISSED)
    waiting = await book.run("tracker", 2)
    started = await book.run("tracker", 3, move=True)
    asked = await book.run("tracker", 4, kind=Kind.MANUAL, kept=by())
    assert book.numbers() == [asked, started]
    with pytest.raises(NotFound):
        book.read(sde_jobs.get, waiting)


async def test_a_job_says_how_its_run_is(book):
    """When it started, else when it was accepted; whether it ended, how and why."""
    fired = await book.run("tracker", 1, move=Move.SUCCEED, reason="2 warnings")
    running = await book.run("tracker", 2, move=True)
    posted = await book.run(
        "scanner", 3, kind=Kind.POSTED, state=State.FAILED, kept=by(attachment="r.xml"), reason="no"
    )
    job = book.read(sde_jobs.get, fired)
    assert (job.connection_id, job.kind, job.state, job.reason) == (1, "alm", State.SUCCEEDED, "2 warnings")
    assert (job.run_at, job.opened_at) == (NOON + timedelta(seconds=65), NOON + timedelta(seconds=60))
    assert (job.automatic, job.user, job.triggered_by, job.attachment) == (True, SERVICE_USER, SERVICE_USER, None)
    assert (job.ready, job.succeeded) == (True, True)
    job = book.read(sde_jobs.get, running)
    assert (job.ready, job.succeeded, job.run_at) == (False, False, NOON + timedelta(seconds=125))
    job = book.read(sde_jobs.get, posted)
    assert (job.ready, job.succeeded, job.reason, job.run_at) == (True, False, "no", NOON + timedelta(minutes=3))
    assert (job.automatic, job.user, job.attachment) == (False, "a@example.com", "r.xml")


async def test_a_run_that_an_operator_starts_is_not_automatic(book):
    """It is nobody's of the API, so the service is said to have run it."""
    number = await book.run("tracker", kind=Kind.MANUAL, move=True)
    job = book.read(sde_jobs.get, number)
    assert (job.automatic, job.user) == (False, SERVICE_USER)


async def test_one_is_found_only_where_it_belongs(book):
    """By its kind and its project; ids that SQLite does not hold are of nothing."""
    number = await book.run("scanner", kept=by())
    assert book.read(sde_jobs.get, number, kind="analysis", project=7).run_no == number
    for wrong in ({"kind": "alm"}, {"project": 8}, {"kind": "analysis", "project": 2**63}):
        with pytest.raises(NotFound):
            book.read(sde_jobs.get, number, **wrong)
    for none in (0, -1, 2**63, 10**50):
        with pytest.raises(NotFound):
            book.read(sde_jobs.get, none)


async def test_filters_take_what_meets_all_of_them(book):
    """Every combination gives what the jobs themselves say."""
    states = (Move.SUCCEED, Move.FAIL, True)
    for minute, ((name, _, _), move, kept) in enumerate(
        product(CONNECTIONS.values(), states, (None, by(), by("b@example.com", automatic=True)))
    ):
        await book.run(name, minute, kept=kept, move=move, kind=Kind.FIRE if kept is None else Kind.MANUAL)
    every = book.ledger.read(lambda c: list(sde_jobs.page(c, Wanted())))
    assert len(every) == 36
    projects = {key: project for key, (_, _, project) in CONNECTIONS.items()}
    choices = {
        "kind": (None, "alm"), "project": (None, 7), "connection": (None, 2), "automatic": (None, True, False),
        "ready": (None, True, False), "succeeded": (None, True, False), "user": (None, SERVICE_USER, "a@example.com"),
    }  # fmt: skip
    others = [{"kind": "ldap"}, {"connection": 99}, {"user": "A@example.com"}]

    def meets(job, wanted):
        has = {
            "kind": job.kind, "project": projects[job.connection_id], "connection": job.connection_id,
            "automatic": job.automatic, "ready": job.ready, "succeeded": job.succeeded, "user": job.user,
        }  # fmt: skip
        return all(value is None or has[name] == value for name, value in wanted.items())

    def compare(c):
        tried = 0
        for wanted in [*(dict(zip(choices, one, strict=True)) for one in product(*choices.values())), *others]:
            expected = [job.run_no for job in every if meets(job, wanted)]
            assert [job.run_no for job in sde_jobs.page(c, Wanted(**wanted))] == expected, wanted
            assert sde_jobs.count(c, Wanted(**wanted)) == len(expected), wanted
            tried += 1
        return tried

    assert book.read(compare) == 2 * 2 * 2 * 3 * 3 * 3 * 3 + len(others)


@pytest.mark.parametrize("number", [0, -1, 2**63, -(10**50), 10**50])
async def test_a_connection_that_no_id_is_has_no_jobs(book, number):
    """Whatever number the filter gives."""
    await book.run("tracker", kept=by())
    assert book.numbers(connection=number) == []


async def test_pages_are_pieces_of_the_whole(book):
    """Newest first; nothing twice, nothing left out."""
    numbers = [await book.run("tracker", minute, kind=Kind.MANUAL, kept=by()) for minute in range(7)]
    pages = [
        book.ledger.read(lambda c, o=offset: [j.run_no for j in sde_jobs.page(c, Wanted(), limit=3, offset=o)])
        for offset in (0, 3, 6, 9)
    ]
    assert pages == [numbers[6:3:-1], numbers[3:0:-1], numbers[:1], []]


async def test_the_newest_job_of_each_connection(book):
    """By id; what is not shown is not one; connections without any are missing."""
    await book.run("tracker", 1, move=Move.SUCCEED)
    newest = await book.run("tracker", 2, kind=Kind.MANUAL, kept=by())
    await book.run("tracker", 3)
    only = await book.run("people", 4, move=Move.FAIL)
    found = book.read(sde_jobs.last_jobs, [*CONNECTIONS, 99, *range(1000, 2200)])
    assert {key: job.run_no for key, job in found.items()} == {1: newest, 4: only}
    assert book.read(sde_jobs.last_jobs, [2, 4]).keys() == {4}


async def test_in_progress_are_connections_with_an_active_run(book):
    """Also one that is not shown yet; what has ended does not count."""
    await book.run("tracker", 1, move=Move.SUCCEED)
    await book.run("other", 2)
    await book.run("scanner", 3, move=True)
    assert book.read(sde_jobs.in_progress, CONNECTIONS) == {2, 3}
    assert book.read(sde_jobs.in_progress, [1, 3]) == {3}


async def test_history_goes_with_what_the_api_kept(book):
    """Ended runs and their rows; the others stay."""
    ended = await book.run("tracker", 1, kind=Kind.MANUAL, kept=by(), move=Move.SUCCEED)
    active = await book.run("tracker", 2, kind=Kind.MANUAL, kept=by())
    deletion = await book.ledger.write(
        lambda c: history.decide(c, jobs.named(c, "tracker"), at=NOON + timedelta(days=1), actor=WHO)
    )
    gone = [number for number, _ in book.ledger.read(lambda c: history.left(c, deletion))]
    assert await book.ledger.write(lambda c: erasing.erase(c, gone))
    assert book.numbers() == [active]
    rows = book.ledger.read(lambda c: [row.run_no for row in c.execute(schema.sde_jobs.select())])
    assert rows == [active] != [ended]
