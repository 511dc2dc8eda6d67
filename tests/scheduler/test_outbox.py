"""The outbox: who is told of which end, in the same transaction; the courier's order, patience and manners."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recurrence.schedule import Occurrence
from scheduler import notices
from scheduler.clock import ManualClock
from scheduler.ledger import NotFound, StaleMove, deliveries, jobs, notifying, runs, schema
from scheduler.ledger.deliveries import DeliveryFilter, Fate
from scheduler.lifecycle import FINAL, Move, State
from scheduler.model import Actor, By, Cycle, Kind
from scheduler.outbox import AT_ONCE, PATIENCE, Courier, Delivered, Later, Refused

AT = datetime(2026, 3, 2, tzinfo=UTC)
ACTOR = Actor("tester", By.CLI)
NOTIFY = {
    "success": {"to": ["a@example.com"], "sender": None, "subject": None, "body": None},
    "failure": {"to": ["b@example.com"], "sender": "c@example.com", "subject": "S", "body": "B"},
    "late": None,
    "webhook": {"url": "https://user-hook.example.com:8443/T0/secret", "token": {"env": "T"}},
}
LATE = {"to": ["a@example.com"], "sender": None, "subject": None, "body": None, "after": 3600.0}
PATHS = {
    State.SUCCEEDED: [Move.START, Move.SUCCEED],
    State.FAILED: [Move.START, Move.FAIL],
    State.LOST: [Move.START, Move.LOSE],
    State.MISSED: [Move.MISS],
    State.SKIPPED: [Move.SKIP],
    State.CANCELLED: [Move.CANCEL],
    State.EXPIRED: [Move.LEAVE, Move.EXPIRE],
}


def record(connection, notify=NOTIFY, name="job"):
    """A job that notifies."""
    version = jobs.Version("d", None, {"name": name, "notify": notify})
    anchor = AT.replace(tzinfo=None)
    return jobs.record(
        connection, version, name=name, origin="yaml", anchor=anchor, armed=True, at=AT, actor=ACTOR
    )


def opened(connection, row, **more):
    """A run of the job."""
    given = {"kind": Kind.MANUAL, "occurrence": Occurrence(AT, AT.replace(tzinfo=None)), **more}
    new = runs.NewRun(zone="Asia/Tokyo", cycle=Cycle(), **given)
    return runs.open_run(connection, row, new, at=AT, actor=ACTOR)


def everything(connection):
    """All deliveries, oldest first."""
    return deliveries.list_deliveries(connection, DeliveryFilter(), limit=1000)[::-1]


@pytest.mark.parametrize("state", sorted(FINAL))
async def test_each_end_is_told_to_whom_it_concerns(ledger, state):
    """Failure on failed, expired, missed and lost, success on succeeded, nothing on skipped and cancelled.

    Rule: notify
    """

    def operation(connection):
        run = opened(connection, record(connection))
        for name in PATHS[state]:
            run = runs.move(connection, run.run_no, name, at=AT, actor=ACTOR, reason="why")
        assert run.state is state
        return everything(connection)

    found = await ledger.write(operation)
    about = {State.SUCCEEDED: "success"} | dict.fromkeys(
        (State.FAILED, State.EXPIRED, State.MISSED, State.LOST), "failure"
    )
    expected = [] if state not in about else [("mail", about[state]), ("webhook", about[state])]
    assert [(one.kind, one.about) for one in found] == expected
    for one in found:
        assert (one.state, one.due_at, one.tries, one.run_no, one.job) == (Fate.PENDING, AT, 0, 1, "job")


def test_every_final_state_has_a_path_here():
    """A new final state must be decided on."""
    assert set(PATHS) == FINAL
    assert set(notices.OUTCOMES) | {State.SKIPPED, State.CANCELLED} == FINAL


async def test_the_webhook_s_path_is_not_shown_and_its_token_is_a_reference(ledger):
    """The target is scheme, host and port; the row has where the token is."""

    def operation(connection):
        opened(connection, record(connection), state=State.MISSED, reason="asleep")
        return everything(connection)

    mail, webhook = await ledger.write(operation)
    assert (mail.target, mail.body["subject"], mail.body["text"]) == ("b@example.com", "S", "B")
    assert mail.body["sender"] == "c@example.com"
    assert webhook.target == "https://user-hook.example.com:8443"
    assert webhook.body["token"] == {"env": "T"}
    assert webhook.body["payload"]["reason"] == "asleep"


async def test_a_stretch_of_misses_is_one_notice(ledger):
    """One row for many misses: one mail, which counts them."""
    notify = NOTIFY | {"failure": NOTIFY["success"], "webhook": None}

    def operation(connection):
        row = record(connection, notify)
        last = AT + timedelta(days=200)
        opened(connection, row, kind=Kind.FIRE, state=State.MISSED, reason="down", count=201, last=last)
        return everything(connection)

    (mail,) = await ledger.write(operation)
    assert mail.body["subject"] == "jobsd: job was missed"
    assert "Fri 2026-09-18 09:00:00 JST (Fri 2026-09-18 00:00:00 UTC); 201 occurrences" in mail.body["text"]


async def test_the_definition_in_force_at_the_end_decides(ledger):
    """Who is to be told may change while a run is under way."""

    def operation(connection):
        row = record(connection, {})
        run = opened(connection, row)
        version = jobs.Version("e", None, {"notify": NOTIFY | {"webhook": None}})
        jobs.change(connection, row, version, reset=False, at=AT, actor=ACTOR)
        runs.move(connection, run.run_no, Move.MISS, at=AT, actor=ACTOR)
        return everything(connection)

    assert [one.about for one in await ledger.write(operation)] == ["failure"]


async def test_nothing_is_told_of_what_was_not_stored(ledger):
    """An operation that fails takes its deliveries with it."""

    def operation(connection):
        run = opened(connection, record(connection))
        runs.move(connection, run.run_no, Move.MISS, at=AT, actor=ACTOR)
        raise KeyError

    with pytest.raises(KeyError):
        await ledger.write(operation)
    assert ledger.read(everything) == []


async def test_late_is_due_after_the_fire_time(ledger):
    """Written when the row is, whatever its state, but for what an operator or a calendar did."""

    def operation(connection):
        row = record(connection, {"late": LATE})
        reasons = ["overlap: run 1 is still running (overlap: skip)", "paused: audit", 'calendar "freeze"']
        opened(connection, row)
        for number, reason in enumerate(reasons):
            at = AT - timedelta(hours=2 * number)
            fire = Occurrence(at, at.replace(tzinfo=None))
            opened(connection, row, kind=Kind.FIRE, occurrence=fire, state=State.SKIPPED, reason=reason)
        return everything(connection)

    late, skipped = await ledger.write(operation)
    assert (late.about, late.due_at) == (skipped.about, skipped.due_at) == ("late", AT + timedelta(hours=1))
    assert late.body["text"] is None


def test_the_words_of_a_notice():
    """Job, outcome, reason, time in the job's zone and in UTC, what is done and left, where to look."""
    from runners.api import AssetState

    ledger_run = runs.RunRow(
        run_no=7, run_id="5f3a9c21-0000-0000-0000-000000000000", job="weekly", job_id=1, version_id=1, kind=Kind.FIRE,
        fire_time=datetime(2026, 3, 7, 3, tzinfo=UTC), civil=datetime(2026, 3, 6, 22), zone="America/New_York",
        state=State.EXPIRED, opened_at=AT, cycle=Cycle(), has_assets=True, reason="2 assets are left",
        started_at=datetime(2026, 3, 7, 3, 0, 1, tzinfo=UTC), ended_at=datetime(2026, 3, 8, 3, tzinfo=UTC),
    )  # fmt: skip
    tally = {AssetState.DONE: 17, AssetState.FRESH: 1, AssetState.OPEN: 1, AssetState.TIMED_OUT: 1}
    assert notices.subject(ledger_run, "failure") == "jobsd: weekly expired"
    assert notices.text(ledger_run, tally) == (
        "The job weekly expired: it ended with something left to do.\n"
        "\n"
        "Reason:  2 assets are left\n"
        "Due:     Fri 2026-03-06 22:00:00 EST (Sat 2026-03-07 03:00:00 UTC)\n"
        "Started: Fri 2026-03-06 22:00:01 EST (Sat 2026-03-07 03:00:01 UTC)\n"
        "Ended:   Sat 2026-03-07 22:00:00 EST (Sun 2026-03-08 03:00:00 UTC)\n"
        "Assets:  18 of 20 done; left: 1 open, 1 timed out\n"
        "Run:     5f3a9c21-0000-0000-0000-000000000000\n"
        "\n"
        "To see all of it: jobsd show 5f3a9c21-0000-0000-0000-000000000000\n"
    )


class Desk:
    """A courier over a ledger, and somebody who answers for the counterpart."""

    def __init__(self, ledger):
        self.ledger, self.clock = ledger, ManualClock(AT)
        self.tried, self.answers, self.most, self._busy = [], {}, 0, 0
        self.told, self.notes = [], {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.courier = Courier(ledger, self.clock, self._deliver, lambda _: None, chance=lambda: 0.5)

    async def _deliver(self, delivery, note):
        self.tried.append(delivery.target)
        self.told.append(dict(delivery.body.get("progress") or {}))
        self._busy += 1
        self.most = max(self.most, self._busy)
        try:
            for progress in self.notes.get(delivery.target, ()):
                await note(progress)
            await self.gate.wait()
        finally:
            self._busy -= 1
        answer = self.answers.get(delivery.target, Delivered())
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def write(self, *targets, channel=None, kind="mail", due_at=None):
        """One delivery to each of `targets`."""

        def operation(connection):
            for target in targets:
                deliveries.create(
                    connection,
                    kind=kind,
                    about="success",
                    target=target,
                    body={},
                    at=AT,
                    channel=channel,
                    due_at=due_at,
                )

        await self.ledger.write(operation)

    async def carry(self):
        """Send all that is due."""
        while True:
            await self.courier.turn()
            if not self.courier._sending and not self.courier._poke.is_set():
                return
            await self.courier.finish()

    def state(self):
        """The state of each delivery by its target."""
        return {one.target: str(one.state) for one in self.ledger.read(everything)}

    def one(self, target):
        """The delivery to `target`."""
        return next(one for one in self.ledger.read(everything) if one.target == target)


@pytest.fixture
async def desk(ledger):
    """A courier that is driven by hand."""
    made = Desk(ledger)
    yield made
    made.gate.set()
    await made.courier.stop()


async def test_a_channel_goes_strictly_in_order(desk):
    """While its first one is put off the others of a channel wait; a refused one makes way."""
    await desk.write("1", "2", "3", channel="sde")
    await desk.write("other", channel="sde-2")
    await desk.write("free")
    desk.answers["1"] = Later("busy")
    await desk.carry()
    assert sorted(desk.tried) == ["1", "free", "other"]
    desk.clock.advance(timedelta(minutes=1))
    desk.answers["1"] = Refused("no")
    await desk.carry()
    assert desk.tried[3:] == ["1", "2", "3"]
    assert desk.state() == {
        "1": "refused", "2": "delivered", "3": "delivered", "other": "delivered", "free": "delivered",
    }  # fmt: skip


async def test_only_a_few_of_a_kind_at_once_and_no_kind_holds_another_up(desk):
    """Mails that hang leave room for webhooks."""
    desk.gate.clear()
    await desk.write(*(f"mail {n}" for n in range(10)))
    await desk.write("hook", kind="webhook")
    await desk.courier.turn()
    await asyncio.sleep(0.05)
    while len(desk.tried) < AT_ONCE + 1:
        await asyncio.sleep(0.01)
    await desk.courier.turn()
    assert desk.most == AT_ONCE + 1
    assert "hook" in desk.tried
    desk.gate.set()
    await desk.carry()
    assert set(desk.state().values()) == {"delivered"}
    assert sorted(desk.tried) == sorted(desk.state())


async def test_a_receiver_that_hangs_holds_no_other_up(desk):
    """However many webhooks wait for it, and for longer."""
    desk.gate.clear()
    await desk.write(*["https://dead"] * 10, kind="webhook")
    await desk.write("https://alive", kind="webhook", due_at=AT + timedelta(minutes=1))
    await desk.courier.turn()
    desk.clock.advance(timedelta(minutes=1))
    await desk.courier.turn()
    while len(desk.tried) < AT_ONCE + 1:
        await asyncio.sleep(0.01)
    assert sorted(desk.tried) == ["https://alive"] + ["https://dead"] * AT_ONCE


async def test_the_delay_doubles_up_to_an_hour_and_is_spread(desk):
    """30 s, 1 min, … 1 h; by chance a fifth shorter or longer."""
    await desk.write("x")
    desk.answers["x"] = Later("down")
    delays = []
    for _ in range(9):
        await desk.carry()
        delays.append((desk.one("x").due_at - desk.clock.now()).total_seconds())
        desk.clock.set(desk.one("x").due_at)
    assert delays == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    desk.courier._chance = lambda: 1.0
    await desk.carry()
    assert (desk.one("x").due_at - desk.clock.now()).total_seconds() == 3600 * 1.2


async def test_the_last_try_is_at_the_end_of_the_patience(desk):
    """Never later than 7 days after it was first due; what fails then is refused."""
    await desk.write("x")
    desk.answers["x"] = Later("down", after=timedelta(hours=20))
    for _ in range(9):
        await desk.carry()
        assert desk.one("x").due_at <= AT + PATIENCE
        desk.clock.set(desk.one("x").due_at)
    assert desk.clock.now() == AT + PATIENCE
    await desk.carry()
    assert desk.one("x").reason == "given up after 7 days: down"
    assert desk.state() == {"x": "refused"}


@pytest.mark.parametrize("after", [timedelta(days=30), timedelta.max])
async def test_a_receiver_is_left_alone_for_a_day_at_most(desk, after):
    """Whatever it asks for, also what no calendar has."""
    await desk.write("x")
    desk.answers["x"] = Later("busy", after=after)
    await desk.carry()
    assert desk.one("x").due_at == AT + timedelta(days=1)


async def test_a_channel_has_one_at_a_time_also_after_a_resend(desk):
    """An older one that is due again waits for the one that is being sent; other channels do not."""
    await desk.write("1", "2", channel="sde", kind="sde_result")
    desk.answers["1"] = Refused("no")
    desk.gate.clear()
    await desk.courier.turn()
    desk.gate.set()
    while desk.state()["1"] != "refused":
        await asyncio.sleep(0.01)
    desk.gate.clear()
    while desk.tried != ["1", "2"]:  # the first lets go of its channel a moment after it is on the disk
        await desk.courier.turn()
        await asyncio.sleep(0.01)
    del desk.answers["1"]
    now = desk.clock.now()
    await desk.ledger.write(lambda c: deliveries.resend(c, "1", at=now, actor=ACTOR))
    await desk.write("3", channel="sde-2", kind="sde_result")
    await desk.write("free")
    await desk.courier.turn()
    while len(desk.tried) < 4:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert sorted(desk.tried) == ["1", "2", "3", "free"]
    desk.gate.set()
    await desk.carry()
    assert desk.tried[4:] == ["1"]
    assert set(desk.state().values()) == {"delivered"}


async def test_what_a_try_notes_is_there_at_once_and_at_the_next_try(desk, tmp_path):
    """Another connection reads it while the try goes on; a Later that says nothing of it leaves it as it was."""
    import sqlite3

    await desk.write("x", channel="sde", kind="sde_result")
    desk.notes["x"] = [{"baseline": 6}, {"baseline": 7}]
    desk.answers["x"] = Later("no answer")
    desk.gate.clear()
    await desk.courier.turn()
    other = sqlite3.connect(tmp_path / "ledger.db")
    try:
        read = "SELECT json_extract(body, '$.progress.baseline'), state, tries FROM deliveries"
        while (found := other.execute(read).fetchone()) != (7, "pending", 0):
            assert found[0] in {None, 6}
            await asyncio.sleep(0.01)
    finally:
        other.close()
    desk.gate.set()
    await desk.carry()
    desk.notes.clear()
    desk.clock.advance(timedelta(minutes=1))
    await desk.carry()
    assert desk.told == [{}, {"baseline": 7}]
    assert (desk.one("x").body["progress"], desk.one("x").tries) == ({"baseline": 7}, 2)


@pytest.mark.parametrize("answer", [Later, Refused, Delivered])
async def test_the_end_of_a_try_replaces_what_it_noted(desk, answer):
    """With what it says, which may be nothing."""
    await desk.write("x", "y")
    desk.notes = {"x": [{"baseline": 7}], "y": [{"baseline": 7}]}
    words = () if answer is Delivered else ("why",)
    desk.answers = {"x": answer(*words, progress={}), "y": answer(*words, progress={"job": 8})}
    await desk.carry()
    assert (desk.one("x").body["progress"], desk.one("y").body["progress"]) == ({}, {"job": 8})


async def test_a_try_that_is_cut_off_has_noted_how_far_it_came(desk):
    """A crash in the middle: after the next start the delivery is due, with the note."""
    await desk.write("x")
    desk.notes["x"] = [{"baseline": 7}]
    desk.gate.clear()
    await desk.courier.turn()
    while "progress" not in desk.one("x").body:
        await asyncio.sleep(0.01)
    ((_, task),) = desk.courier._sending.values()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    one = desk.one("x")
    assert (one.state, one.due_at, one.tries, one.body) == (Fate.PENDING, AT, 0, {"progress": {"baseline": 7}})


async def test_nothing_goes_on_before_a_note_is_on_the_disk(desk, tmp_path):
    """While the ledger cannot be written the try waits at its note, and goes on when it can."""
    import sqlite3

    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    await desk.write("x")
    desk.notes["x"] = [{"baseline": 7}]
    passed = []
    desk.gate.wait = lambda: asyncio.sleep(0, passed.append(desk.one("x").body))
    other.execute("BEGIN IMMEDIATE")
    try:
        await desk.courier.turn()
        await asyncio.sleep(5.5)  # longer than a writer waits for the lock
        assert (desk.tried, passed) == (["x"], [])
    finally:
        other.execute("ROLLBACK")
        other.close()
    await desk.carry()
    assert (desk.tried, passed) == (["x"], [{"progress": {"baseline": 7}}])
    assert desk.state() == {"x": "delivered"}


async def test_what_the_counterpart_calls_the_delivered_ones(desk):
    """Of one channel, above a number; what waits, is refused or says nothing is left out."""
    await desk.write("1", "2", "3", "4", channel="sde")
    await desk.write("5", channel="other")
    ends = [
        Delivered({"job": 3}),
        Delivered({"job": 8}),
        Refused("no", {"job": 9}),
        Delivered(),
        Delivered({"job": 9}),
    ]
    desk.answers = {str(number): end for number, end in enumerate(ends, 1)}
    await desk.carry()

    def found(above, name="job"):
        return desk.ledger.read(lambda c: deliveries.received(c, "sde", name=name, above=above))

    assert (found(2), found(3), found(8), found(0, "run")) == ({3, 8}, {8}, set(), set())


LANES = [("sde_result", ("sde-1", "sde-2")), ("webhook", ("https://a", "https://b")), ("mail", ("a@x", "b@x"))]


@pytest.mark.parametrize(("kind", "targets"), LANES)
async def test_a_receiver_is_a_lane_and_all_mail_is_one(desk, kind, targets):
    """So many at once for each server; mails share one server, whoever they are for."""
    desk.gate.clear()
    for target in targets:
        await desk.write(*[target] * (AT_ONCE + 2), kind=kind)
    await desk.courier.turn()
    lanes = 1 if kind == "mail" else 2
    while len(desk.tried) < AT_ONCE * lanes:
        await asyncio.sleep(0.01)
    await desk.courier.turn()
    await asyncio.sleep(0.05)
    assert len(desk.tried) == AT_ONCE * lanes
    if lanes == 2:
        assert sorted(desk.tried) == sorted(targets * AT_ONCE)
    desk.gate.set()
    await desk.carry()
    assert len(desk.tried) == 2 * (AT_ONCE + 2)


async def test_a_server_may_be_called_what_it_likes(desk):
    """One that is called mail does not wait for the mails, nor one that is called like a webhook's host."""
    desk.gate.clear()
    await desk.write(*["a@x"] * AT_ONCE, kind="mail")
    await desk.write(*["hook"] * AT_ONCE, kind="webhook")
    await desk.courier.turn()
    await desk.write("mail", "hook", kind="sde_result")
    await desk.courier.turn()
    async with asyncio.timeout(10):
        while len(desk.tried) < 2 * AT_ONCE + 2:
            await asyncio.sleep(0.01)


async def test_what_a_deliverer_raises_is_tried_again(desk):
    """A fault of ours in one kind takes no other down."""
    await desk.write("x", "y")
    desk.answers["x"] = RuntimeError("a bug")
    await desk.carry()
    assert desk.state() == {"x": "pending", "y": "delivered"}
    assert desk.one("x").reason == "RuntimeError: a bug"


async def test_what_cannot_be_composed_is_put_off_like_any_other(desk):
    """A notice of a run whose zone this host no longer has is not tried without a pause, and holds nothing up."""

    def operation(connection):
        run = opened(connection, record(connection, {"late": LATE}), kind=Kind.FIRE)
        gone = schema.runs.update().where(schema.runs.c.run_no == run.run_no).values(zone="Nowhere/Else")
        connection.execute(gone)

    await desk.ledger.write(operation)
    await desk.write("y")
    desk.clock.advance(timedelta(hours=2))
    await desk.carry()
    assert desk.state() == {"a@example.com": "pending", "y": "delivered"}
    assert "Nowhere/Else" in desk.one("a@example.com").reason
    assert desk.one("a@example.com").due_at > desk.clock.now()


@pytest.mark.parametrize("answer", [Later("450 caf\udce9"), Refused("550 caf\udce9")])
async def test_words_that_are_no_utf_8_are_kept_escaped(desk, answer):
    """A mail server answers in Latin-1: that is recorded, and the delivery waits or is refused like any other."""
    await desk.write("x")
    desk.answers["x"] = answer
    await desk.carry()
    assert desk.one("x").reason == answer.reason.replace("\udce9", "\\udce9")
    assert desk.tried == ["x"]


async def test_what_cannot_be_recorded_is_not_sent_at_every_turn(desk):
    """Its row stays as it was and is due; the courier holds it back instead of sending it again and again."""
    await desk.write("x", "y")
    desk.answers["x"] = Later("half of them", progress={"delivered": {1, 2}})  # a set is no JSON
    await desk.courier.turn()
    while len(desk.tried) < 2 or desk.state()["y"] != "delivered":
        await asyncio.sleep(0.01)
    for _ in range(5):
        await desk.courier.turn()
        await asyncio.sleep(0.02)
    assert sorted(desk.tried) == ["x", "y"]
    assert desk.state() == {"x": "pending", "y": "delivered"}
    ((_, held),) = desk.courier._sending.values()
    held.cancel()


async def test_a_run_that_is_deleted_while_its_late_notice_comes_due(ledger):
    """There is nothing to tell any more."""

    def operation(connection):
        opened(connection, record(connection, NOTIFY | {"late": LATE}))
        late, _ = everything(connection)
        return [notifying.ready(connection, one, AT, lambda _: None) for one in (late, replace(late, run_no=99))]

    told, gone = await ledger.write(operation)
    assert (told.about, gone) == ("late", deliveries.Void("its run was deleted"))


async def test_a_ledger_that_cannot_be_written_makes_nothing_arrive_twice(desk, tmp_path):
    """Sent, and the answer cannot be stored: it is kept until it can, and the delivery is not tried again."""
    import sqlite3

    await desk.write("x")
    desk.gate.clear()
    await desk.courier.turn()
    while not desk.tried:
        await asyncio.sleep(0.01)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    desk.gate.set()
    try:
        await asyncio.sleep(5.5)  # longer than a writer waits for the lock
        await desk.courier.turn()
        assert desk.state() == {"x": "pending"}
    finally:
        other.execute("ROLLBACK")
        other.close()
    await desk.carry()
    assert (desk.tried, desk.state()) == (["x"], {"x": "delivered"})


async def test_the_end_of_a_run_wakes_the_courier(desk):
    """What a run's end leaves is sent at once, without waiting for the next look at the clock."""
    task = asyncio.create_task(desk.courier.run())
    try:
        await asyncio.sleep(0.05)

        def operation(connection):
            opened(connection, record(connection), state=State.MISSED)

        began = asyncio.get_running_loop().time()
        await desk.ledger.write(operation)
        while len(desk.tried) < 2:
            await asyncio.sleep(0.005)
        assert asyncio.get_running_loop().time() - began < 0.8
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_courier_that_is_poked_and_cancelled_at_once_ends(desk):
    """What wakes it in the same moment does not keep it from ending."""
    task = asyncio.create_task(desk.courier.run())
    await asyncio.sleep(0.1)
    desk.courier._poke.set()
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_what_is_due_at_the_stop_is_still_sent(desk):
    """The last runs that the daemon has ended are told of now, not at its next start."""
    await desk.write("x")
    await desk.courier.stop()
    assert desk.state() == {"x": "delivered"}
    await desk.write("y")
    await desk.courier.turn()
    assert desk.tried == ["x"]


async def test_resending(desk):
    """A refused one begins anew; a waiting one is due now; what was delivered is left alone. The journal knows who."""
    await desk.write("no", "later", "yes")
    desk.answers = {"no": Refused("never"), "later": Later("down")}
    await desk.carry()
    desk.clock.advance(timedelta(seconds=1))
    desk.answers = {}
    now = desk.clock.now()
    for target in ("no", "later"):
        key = desk.one(target).delivery_id[:8]
        found = await desk.ledger.write(lambda c, key=key: deliveries.resend(c, key, at=now, actor=ACTOR))
        assert (found.state, found.due_at) == (Fate.PENDING, now)
    with pytest.raises(StaleMove, match="is delivered: there is nothing to send again"):
        await desk.ledger.write(lambda c: deliveries.resend(c, "3", at=now, actor=ACTOR))
    with pytest.raises(NotFound):
        await desk.ledger.write(lambda c: deliveries.resend(c, "ffffffff-none", at=now, actor=ACTOR))
    await desk.carry()
    assert set(desk.state().values()) == {"delivered"}
    assert [(e.name, e.actor.name) for e in desk.ledger.heard] == [("resend", "tester")] * 2
    assert sorted(desk.tried) == ["later", "later", "no", "no", "yes"]


async def test_deliveries_are_listed_newest_first_by_what_is_asked(ledger):
    """By job, run and state, in pages."""

    def operation(connection):
        for name in ("one", "two"):
            row = record(connection, name=name)
            for _ in range(2):
                run = opened(connection, row)
                runs.move(connection, run.run_no, Move.MISS, at=AT, actor=ACTOR)
        deliveries.settle(connection, 1, Fate.REFUSED, at=AT, reason="no")

    await ledger.write(operation)

    def numbers(limit=100, before=None, **which):
        return ledger.read(
            lambda c: [
                one.delivery_no
                for one in deliveries.list_deliveries(c, DeliveryFilter(**which), limit=limit, before=before)
            ]
        )

    assert numbers() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert numbers(job_id=2) == [8, 7, 6, 5]
    assert numbers(run_no=2) == [4, 3]
    assert numbers(states=frozenset({Fate.REFUSED})) == [1]
    fourth = ledger.read(lambda c: deliveries.get(c, 4))
    assert numbers(limit=2, before=fourth) == [3, 2]


async def test_one_that_was_made_void_on_its_way_and_arrived_is_delivered(desk):
    """Its job's notify was changed while it was being sent: who has it is not told again."""
    await desk.write("x", "y")
    desk.answers["y"] = Refused("no")
    desk.gate.clear()
    await desk.courier.turn()
    async with asyncio.timeout(10):
        while len(desk.tried) < 2:
            await asyncio.sleep(0.01)
    all_of_them = schema.deliveries.c.kind == "mail"
    await desk.ledger.write(lambda c: deliveries.make_void(c, all_of_them, at=AT, reason="changed"))
    desk.gate.set()
    await desk.carry()
    assert desk.state() == {"x": "delivered", "y": "void"}
