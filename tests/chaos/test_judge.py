"""The checker can fail: each kind of fault is planted into what a sound world left behind, and is found."""

import copy
import time
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from chaos.counterparts import LYING, WELL
from chaos.judge import Judge
from chaos.pilot import Pilot
from chaos.rows import read
from chaos.world import LOCAL, REMOTE

WANTED = {"plain", "flaky", "idem", "collect", "ccs", "agent", "sde"}
JOBS = tuple(job for job in LOCAL + REMOTE if job.name in WANTED)
CAME = ("mails", "hooks", "executed", "posted", "initiated")


@pytest.fixture(scope="module")
def sound(tmp_path_factory, fork_server):
    """A world that came to its end without a kill."""
    one = Pilot(tmp_path_factory.mktemp("sound"), fork_server, JOBS)
    one.begin()
    assert one.ready(time.monotonic() + 20)
    deadline = time.monotonic() + 20
    while not (
        one.parts.posted and any(note[:2] + note[4:] == ("end", "collect", "b") for note in one.world.notes)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    one.signal(15)
    one._process.wait(20)
    findings, left = one.finish()
    assert (findings.faults, left) == ([], 0)
    yield one
    one.close()


@pytest.fixture
def left(sound):
    """What it left, to be tampered with: `judged` gives the findings."""

    class Left:
        def __init__(self):
            self.ledger = copy.deepcopy(read(sound.ledger))
            self.notes = list(sound.world.notes)
            self.kills = []
            self.dead_at = None
            parts = sound.parts
            self.parts = SimpleNamespace(**{name: list(getattr(parts, name)) for name in CAME})

        def runs(self, job, state="succeeded"):
            (job_id,) = [row["job_id"] for row in self.ledger["jobs"] if row["name"] == job]
            return [row for row in self.ledger["runs"] if (row["job_id"], row["state"]) == (job_id, state)]

        def noted(self, job, word="begin"):
            return next(note for note in self.notes if note[:2] == (word, job))

        def judged(self):
            judge = Judge(sound.world)
            if self.dead_at is not None:
                judge.glance(self.ledger, dead_at=self.dead_at)
            return judge.judge(
                self.ledger, until=sound.until, notes=self.notes, parts=self.parts,
                kills=self.kills,
            )  # fmt: skip

    return Left()


def kinds(findings):
    """How many faults of each kind."""
    names = ("lost", "extra", "duplicated", "unaccounted")
    return {name: len(getattr(findings, name)) for name in names if getattr(findings, name)}


def test_a_sound_world_has_no_faults(left):
    """Nothing planted, nothing found."""
    assert kinds(left.judged()) == {}


def test_an_occurrence_without_a_row_is_lost(left):
    """A row that was never written is missed, whatever the ledger thinks of itself."""
    run = left.runs("plain")[0]
    left.ledger["runs"].remove(run)
    assert any("nothing tells of" in one for one in left.judged().lost)


def test_a_row_at_which_nothing_was_due_is_extra(left):
    """A run a second beside its fire time is one that nobody asked for; its own occurrence is lost."""
    run = left.runs("plain")[0]
    run["fire_time"] = str(datetime.fromisoformat(run["fire_time"]) + timedelta(seconds=1))
    assert kinds(left.judged()) == {"extra": 1, "lost": 1}


def test_an_occurrence_with_two_rows_is_a_duplicate(left):
    """Two runs of one occurrence."""
    run = left.runs("plain")[0]
    left.ledger["runs"].append(
        run | {"kind": "fire", "run_no": 10_000, "run_id": "another", "state": "skipped", "reason": "x"}
    )
    assert kinds(left.judged())["duplicated"] == 1


def test_a_stretch_that_counts_wrong_is_unaccounted(left):
    """One row for many misses has to say how many they were."""
    run = left.runs("plain", "skipped")[0]
    run["last_fire_time"] = run["fire_time"]
    run["occurrences"] = 3
    assert kinds(left.judged()) == {"unaccounted": 1}


MISSED = {
    "came due unobserved and is later than its grace of 6h",
    "came due unobserved (catch_up: none)",
    "not started within its grace of 6h",
    "not run: the later occurrence of 2020-01-01T00:00:00Z took its place (catch_up: latest)",
    "the window closed before it could start",
    "the moon was full",
}
SKIPPED = {
    "overlap: run AN-EARLIER is still running (overlap: skip)",
    "a newer occurrence took its place (overlap: queue)",
    'calendar "minutes": closed until 2030-01-01T00:00:00Z',
}


@pytest.mark.parametrize(
    ("state", "reason"),
    [*(("missed", one) for one in sorted(MISSED)), *(("skipped", one) for one in sorted(SKIPPED))],
)
def test_an_occurrence_that_could_have_run_may_not_be_left_out(left, state, reason):
    """Its row has a reason, which is not true."""
    runs = left.runs("idem")
    run = max(runs, key=lambda row: row["fire_time"])
    ended = min(runs, key=lambda row: row["fire_time"])
    left.ledger["attempts"][:] = [row for row in left.ledger["attempts"] if row["run_no"] != run["run_no"]]
    left.notes[:] = [note for note in left.notes if note[2] != run["run_id"]]
    run.update(state=state, reason=reason.replace("AN-EARLIER", ended["run_id"]), attempts=0)
    assert kinds(left.judged()) == {"unaccounted": 1}


@pytest.mark.parametrize("change", [{"state": "running"}, {"state": "failed", "reason": ""}, {"attempts": 7}])
def test_a_run_that_is_not_accounted_for(left, change):
    """Still running at the end, failed without a reason, or with attempts that are nowhere."""
    left.runs("idem")[0].update(change)
    assert "unaccounted" in kinds(left.judged())


def test_a_run_without_events_is_unaccounted(left):
    """Nobody can tell how it came to its state."""
    run_no = left.runs("idem")[0]["run_no"]
    left.ledger["events"][:] = [row for row in left.ledger["events"] if row["run_no"] != run_no]
    assert kinds(left.judged()) == {"unaccounted": 1}


def test_an_open_attempt_is_unaccounted(left):
    """Its run has ended."""
    run_no = left.runs("idem")[0]["run_no"]
    next(row for row in left.ledger["attempts"] if row["run_no"] == run_no).update(ended=None, ended_at=None)
    assert kinds(left.judged()) == {"unaccounted": 1}


def test_work_that_began_twice_in_one_attempt_is_a_duplicate(left):
    """By what the work wrote down: the ledger looks sound."""
    left.notes.append(left.noted("plain"))
    assert kinds(left.judged()) == {"duplicated": 1}


def test_work_that_may_not_be_repeated_and_was_is_a_duplicate(left):
    """A command that does not say that it is idempotent, begun in a second attempt."""
    begun = left.noted("plain")
    old = next(row for row in left.ledger["attempts"] if row["token"] == begun[3])
    old["number"], old["ended"] = 2, "completed"
    left.ledger["attempts"].append(old | {"number": 1, "token": "first", "ended": "interrupted"})
    next(row for row in left.ledger["runs"] if row["run_no"] == old["run_no"])["attempts"] = 2
    left.ledger["attempts"].sort(key=lambda row: (row["run_no"], row["number"]))
    left.notes.append((*begun[:3], "first", "-"))
    left.notes.append(("end", *begun[1:]))
    assert kinds(left.judged()) == {"duplicated": 1}


def test_an_asset_that_was_done_and_is_done_again_is_a_duplicate(left):
    """The first attempt had completed it."""
    begun = left.noted("collect")
    old = next(row for row in left.ledger["attempts"] if row["token"] == begun[3])
    old["ended"] = "completed"
    later = next(
        row for row in left.ledger["attempts"] if row["run_no"] == old["run_no"] and row["number"] > old["number"]
    )
    left.notes.append(("begin", "collect", begun[2], later["token"], begun[4]))
    assert kinds(left.judged()) == {"duplicated": 1}


def test_an_asset_whose_data_found_no_room_is_left_and_done_again(left):
    """The attempt says so: that is no duplicate."""
    begun = left.noted("collect")
    old = next(row for row in left.ledger["attempts"] if row["token"] == begun[3])
    old["ended"], old["reason"] = "completed", "its output could not be kept whole: No space left on device"
    later = next(
        row for row in left.ledger["attempts"] if row["run_no"] == old["run_no"] and row["number"] > old["number"]
    )
    left.notes.append(("begin", "collect", begun[2], later["token"], begun[4]))
    assert kinds(left.judged()) == {}


def test_work_for_a_run_that_nobody_knows_is_extra(left):
    """Its row was lost, or never written before the work began."""
    left.notes.append(("begin", "plain", "a-run", "a-token", "-"))
    assert kinds(left.judged()) == {"extra": 1}


@pytest.mark.parametrize("job", ["plain", "collect"])
def test_success_without_work_is_unaccounted(left, job):
    """The ledger calls done what its program never ended."""
    ended = left.noted(job, "end")
    left.notes.remove(ended)
    assert kinds(left.judged()) == {"unaccounted": 1}


def test_success_without_any_trace_is_unaccounted(left):
    """Neither the program nor the counterpart ever heard of it."""
    ended = left.noted("plain", "end")
    left.notes[:] = [note for note in left.notes if note[2] != ended[2]]
    assert kinds(left.judged()) == {"unaccounted": 1}
    left.parts.executed.clear()
    left.parts.initiated.clear()
    told = left.judged().unaccounted
    assert {one[:3] for one in told if one.endswith("was not begun there")} == {"ccs", "sde"}


def test_an_outcome_of_which_nobody_was_told_is_lost(left):
    """The mail has no row in the outbox."""
    mail = next(row for row in left.ledger["deliveries"] if row["kind"] == "mail")
    left.ledger["deliveries"].remove(mail)
    assert kinds(left.judged())["lost"] == 1


def test_a_delivery_that_never_came_is_unaccounted(left):
    """The ledger says delivered, the counterpart has nothing."""
    left.parts.hooks.pop()
    assert kinds(left.judged()) == {"unaccounted": 1}


@pytest.mark.parametrize("state", ["refused", "void"])
def test_a_delivery_that_was_dropped_is_lost(left, state):
    """Counterparts that are ill get well: none may be given up, and an outcome is never void."""
    next(row for row in left.ledger["deliveries"] if row["kind"] == "webhook")["state"] = state
    assert kinds(left.judged()) == {"lost": 1}


def test_a_delivery_that_nobody_knows_is_extra(left):
    """It came, and the ledger has no row of it."""
    at, mood, _, run = left.parts.hooks[0]
    left.parts.hooks.append((at, mood, "unknown", run))
    assert kinds(left.judged()) == {"extra": 1}


def test_a_delivery_that_came_twice_is_a_duplicate_unless_that_is_explained(left):
    """By a kill before it could be written down, or by an answer that was lost; by nothing else."""
    at, _, delivery, run = left.parts.hooks[0]
    left.parts.hooks.append((at + 20, WELL, delivery, run))
    assert kinds(left.judged()) == {"duplicated": 1}
    left.kills = [(at + 15, "random")]
    assert kinds(left.judged()) == {"duplicated": 1}
    left.kills = [(at + 0.2, "delivery.after")]
    found = left.judged()
    assert (kinds(found), found.repeats.total()) == ({}, 1)
    left.dead_at = at + 5
    assert kinds(left.judged()) == {"duplicated": 1}  # the ledger had it as delivered already
    left.dead_at = None
    left.kills, left.parts.hooks[0] = [], (at, LYING, delivery, run)
    found = left.judged()
    assert (kinds(found), found.repeats.total()) == ({}, 1)


def test_an_execution_at_a_counterpart_that_no_run_remembers_is_extra(left):
    """A job run of the CCS server that nobody here began knowingly."""
    left.parts.executed.append((0.0, "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "job", None))
    assert kinds(left.judged()) == {"extra": 1}


def test_a_job_that_was_initiated_and_no_run_remembers_is_extra(left):
    """A job of the SDE server that nobody here began knowingly."""
    left.parts.initiated.append(99_999)
    assert kinds(left.judged()) == {"extra": 1}


def test_a_result_that_was_posted_twice_is_a_duplicate(left):
    """SDE has two jobs with the same result of the same run."""
    left.parts.posted.append(left.parts.posted[0])
    assert "duplicated" in kinds(left.judged())


def test_an_end_that_changes_afterwards_is_a_loss(sound):
    """What was told once stays so, from one life to the next."""
    ledger = read(sound.ledger)
    judge = Judge(sound.world)
    judge.glance(ledger)
    run = next(row for row in ledger["runs"] if row["state"] == "succeeded")
    changed = copy.deepcopy(ledger)
    next(row for row in changed["runs"] if row["run_no"] == run["run_no"])["state"] = "failed"
    judge.glance(changed)
    assert len(judge.findings.lost) == 1
    del changed["runs"][:]
    judge.glance(changed)
    assert len(judge.findings.lost) > 1
