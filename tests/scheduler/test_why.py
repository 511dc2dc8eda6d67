"""Why a job ran, runs, waits, did not run or will not: the sentence, and the rules that decided."""

from datetime import datetime

import pytest

from scheduler.ledger import NotFound, asking
from scheduler.why import Force, why


@pytest.fixture
def ask():
    """A function that asks a rig: (verdict, sentence, {rule: what it says})."""

    def asked(rig, job, at=None, **force):
        now, dispatcher = rig.clock.now(), rig.dispatcher
        instant = None if at is None else datetime.fromisoformat(at)
        facts = rig.ledger.read(lambda c: asking.gather(c, job, at=instant, now=now))
        settings = dispatcher.configuration.settings
        known = {
            "now": now, "zone": settings.timezone, "job": dispatcher.definition(facts.row.name), "unreadable": False,
            "definitions": dispatcher.definitions, "max_running": settings.max_running, "limits": settings.limits,
            "used": dispatcher.executor.limits(), "pacing": dispatcher.pacing, "writable": dispatcher.writable,
            "firing": dispatcher.firing,
        }  # fmt: skip
        found = why(facts, Force(**known | force))
        return found.verdict, found.sentence, {rule.rule: rule.says for rule in found.rules}

    return asked


HEAD = """
version: 1
settings: {max_running: 2, limits: {net: 1}, timezone: Europe/Berlin}
calendars: {freeze: {dates: [2026-03-05]}}
jobs:
"""
JOBS = (
    HEAD
    + """
  - {name: first, limits: [net], schedule: {start: 2026-03-01T06:00:00, daily: {}, window: 4h}, run: {command: {argv: [sleep, "600"]}}}
  - {name: net, limits: [net], schedule: {start: 2026-03-01T06:00:00, daily: {}}, run: {command: {argv: ["true"]}}}
  - {name: second, schedule: {start: 2026-03-01T06:30:00, daily: {}}, overlap: queue, run: {command: {argv: [sleep, "600"]}}}
  - {name: third, schedule: {start: 2026-03-01T07:00:00, daily: {}}, run: {command: {argv: ["true"]}}}
  - {name: off, enabled: false, schedule: {start: 2026-03-01T06:00:00, daily: {}}, run: {command: {argv: ["true"]}}}
  - {name: bare, run: {command: {argv: ["true"]}}}
"""
)


async def test_what_holds_up_a_run(rig, ask):
    """Places, limits and earlier runs are named with who has them; what is at work, with its window."""
    r = rig("2026-03-02T00:00:00Z")
    await r.up(JOBS)
    await r.tick(wait=False, hours=6, minutes=5)
    verdict, sentence, rules = ask(r, "first")
    assert verdict == "runs"
    assert "It is running: run " in sentence
    assert "due 2026-03-02 06:00 +01:00, since 2026-03-02 06:00 +01:00 (attempt 1)" in sentence
    assert rules["window"] == "its window ends at 2026-03-02 10:00 +01:00: what is left then is stopped"
    verdict, sentence, rules = ask(r, "net")
    assert verdict == "waits"
    assert sentence.startswith("It waits to start: run ")
    assert rules["limits"].startswith("limit 'net' has 1 places, and they are taken, by first (run ")
    verdict, _, rules = ask(r, "third")
    assert verdict == "waits"
    assert rules["max_running"].startswith("all 2 places are taken, by ")
    assert "second (run " in rules["max_running"]
    verdict, sentence, rules = ask(r, "third", writable=False, firing=False, pacing=True)
    assert "the ledger cannot be written" in sentence
    assert rules["daemon"] == "the daemon is stopping: nothing starts any more"
    assert (
        rules["pacing"]
        == "it is 5m late, and late starts are paced (settings.catch_up_rate)"[:6] + rules["pacing"][6:]
    )


async def test_overlap_before_and_after(rig, ask):
    """A queued run names the one before it; of a skipped one the reason is told, however long ago that is."""
    r = rig("2026-03-02T00:00:00Z")
    await r.up(JOBS.replace("max_running: 2", "max_running: 9").replace(", window: 4h", ""))
    await r.tick(wait=False, days=1, hours=6, minutes=40)
    _, _, rules = ask(r, "second", "2026-03-03T05:30:00Z")
    assert " of the job, due 2026-03-02 06:30 +01:00, goes before it, and is running" in rules["overlap"]
    verdict, sentence, rules = ask(r, "first", "2026-03-03T05:00:00Z")
    assert verdict == "skipped"
    assert "due 2026-03-03 06:00 +01:00, was skipped: overlap: run " in sentence
    assert rules["overlap"].endswith("is still running (overlap: skip)")
    assert rules["definition"].startswith("Every day at 06:00 (Europe/Berlin)")


async def test_misses_and_pauses(rig, ask, operator):
    """What a downtime missed, what a pause skipped and will skip; a job that is disabled, gone, or has no schedule."""
    r = rig("2026-03-02T00:00:00Z")
    quick = JOBS.replace('[sleep, "600"]', '["true"]')
    await r.up(quick)
    await r.down()
    r.clock.set(datetime.fromisoformat("2026-03-03T09:00:00Z"))
    await r.up(quick)
    await r.idle()
    verdict, sentence, rules = ask(r, "third", "2026-03-02T06:00:00Z")
    assert verdict == "missed"
    assert "took its place (catch_up: latest)" in sentence
    assert rules["catch_up"].startswith("not run: the later occurrence of 2026-03-03T06:00:00Z")
    verdict, sentence, rules = ask(r, "third", "2026-03-03T06:00:00Z")
    assert verdict == "ran"
    assert rules["catch_up"].startswith(
        "it was looked at 3h after it was due (the daemon was down, held up or could "
    )
    assert rules["catch_up"].endswith("; catch_up: latest, grace 6h")
    await r.control.pause("third", until=None, note="works", actor=operator)
    await r.tick(days=1)
    verdict, sentence, _ = ask(r, "third", "2026-03-04T06:00:00Z")
    assert (verdict, sentence.rpartition(": ")[2]) == ("skipped", "works")
    verdict, sentence, _ = ask(r, "third", "2026-03-08T06:00:00Z")
    assert verdict == "would_skip"
    assert sentence.endswith("it is paused by tester since 2026-03-03 10:00 +01:00, until it is resumed (works)")
    assert "it is paused by tester" in ask(r, "third")[1]
    verdict, sentence, rules = ask(r, "off", "2026-03-08T05:00:00Z")
    assert (verdict, "it is disabled (enabled: false)" in sentence) == ("never", True)
    assert ask(r, "bare")[0] == "never"
    await r.reload(HEAD + '  - {name: bare, run: {command: {argv: ["true"]}}}\n')
    verdict, sentence, _ = ask(r, "third")
    assert verdict == "never"
    assert "it is not defined any more, since 2026-03-04 10:00 +01:00 (tester)" in sentence
    with pytest.raises(NotFound, match="there is no job 'nobody'"):
        ask(r, "nobody")


async def test_what_comes(rig, ask):
    """Of the future: what will run under which conditions, what a calendar will skip or move, and what is not due."""
    r = rig("2026-03-02T00:00:00Z")
    closing = 'exclude: [freeze]}, run: {command: {argv: ["true"]}}}\n'
    await r.up(
        JOBS
        + "  - {name: closed, schedule: {start: 2026-03-01T06:00:00, daily: {}, " + closing
        + "  - {name: moved, schedule: {start: 2026-03-01T06:00:00, daily: {every: 2}, on_exclude: next-day, " + closing
    )  # fmt: skip
    verdict, sentence, rules = ask(r, "first", "2026-03-05T05:00:00Z")
    assert (verdict, sentence) == ("will_run", "It will run at 2026-03-05 06:00 +01:00")
    assert rules == {
        "definition": "Every day at 06:00 (Europe/Berlin), from Sunday 1 March 2026, each run for up to 4 hours.",
        "catch_up": "if the daemon is not there then: latest, within 6h",
        "overlap": "if an earlier run is still at its first attempt then: skip",
        "limits": "limit 'net' has 1 places, 0 of them taken now",
        "window": "what is left at 2026-03-05 10:00 +01:00 is stopped",
    }
    verdict, sentence, _ = ask(r, "closed", "2026-03-05T05:00:00Z")
    assert verdict == "would_skip"
    assert (
        'It will not run at 2026-03-05 06:00 +01:00: calendar "freeze": closed until 2026-03-05T23:00:00Z'
        in sentence
    )
    assert "moved to 2026-03-06T05:00:00Z" in ask(r, "moved", "2026-03-05T05:00:00Z")[1]
    verdict, _, rules = ask(r, "moved", "2026-03-06T05:00:00Z")
    assert verdict == "will_run"
    assert rules["calendar"] == "the occurrence of 2026-03-05 06:00 +01:00 is excluded and moved here"
    verdict, sentence, _ = ask(r, "first", "2026-03-05T11:00:00Z")
    assert verdict == "not_due"
    assert sentence == "Nothing comes due at 2026-03-05 12:00 +01:00. It fires next at 2026-03-06 06:00 +01:00"
    assert ask(r, "first", "2025-01-01T05:00:00Z")[:2] == (
        "unknown",
        "Nothing is known of that time: the job is known since 2026-03-02 01:00 +01:00",
    )
    assert ask(r, "moved", "9999-12-31T23:59:00Z")[0] == "not_due"
    assert ask(r, "moved", "0001-01-01T00:00:00Z")[0] == "unknown"
    r.clock.set(datetime.fromisoformat("2026-03-02T05:00:10Z"))
    verdict, sentence, _ = ask(r, "first", "2026-03-02T05:00:00Z")
    assert verdict == "due"
    assert "It is due since 2026-03-02 06:00 +01:00 and has no row yet" in sentence
    verdict, sentence, rules = ask(r, "first", writable=False)  # what waits now, though it came due before
    assert (verdict, "since 2026-03-02 06:00 +01:00" in sentence) == ("due", True)
    assert rules["ledger"] == "the ledger cannot be written: it is caught up when it can (ledger_not_writable)"


FLAKY = """
version: 1
jobs:
  - {name: flaky, retry: {attempts: 3, backoff: 10m}, schedule: {start: 2026-03-01T06:00:00, daily: {}}, run: {command: {argv: ["false"]}}}
"""


async def test_tries_and_an_operator(rig, ask, operator):
    """Between two tries the next one is told; an abort is told with who did it, and as it was at a time in between."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(FLAKY)
    await r.tick(seconds=1)
    verdict, sentence, rules = ask(r, "flaky")
    assert verdict == "waits"
    assert "it is tried again at 2026-03-02 06:10Z, try 2 of 3" in sentence
    assert rules["retry"] == "it is tried again at 2026-03-02 06:10Z, try 2 of 3"
    await r.tick(minutes=5)
    await r.control.abort(r.run().run_id, operator)
    verdict, sentence, rules = ask(r, "flaky", "2026-03-02T06:00:00Z")
    assert (verdict, sentence.endswith("was cancelled at 2026-03-02 06:05Z: aborted by tester")) == ("ran", True)
    assert rules["operator"] == "2026-03-02 06:05Z it became cancelled by tester (cli): aborted by tester"
    verdict, sentence, _ = ask(r, "flaky", "2026-03-02T06:03:00Z")
    assert verdict == "waits"
    assert "At 2026-03-02 06:03Z run " in sentence
    assert "was retrying; it was cancelled at 2026-03-02 06:05Z" in sentence
    run = await r.control.trigger("flaky", operator)
    await r.idle()
    rules = ask(r, "flaky", run.fire_time.isoformat())[2]
    assert rules["asked"] == "it was asked for by tester (cli): pause and calendars do not apply"


LONG = """
version: 1
jobs:
  - {name: often, schedule: {start: 2026-03-02T00:00:00, interval: 10m}, run: {command: {argv: [sleep, "600"]}}}
"""


async def test_long_ago_and_in_between(rig, ask, operator):
    """A run that was at work is told, however many were skipped since; between two misses of a row nothing was due."""
    r = rig("2026-03-02T00:00:00Z")
    await r.up(LONG)
    await r.tick(wait=False, hours=6)
    verdict, sentence, _ = ask(r, "often", "2026-03-02T05:35:00Z")
    assert (verdict, "due 2026-03-02 00:10Z, was running" in sentence) == ("runs", True)
    await r.control.abort(r.runs()[0].run_id, operator)
    await r.idle()
    await r.down()
    r.clock.set(datetime.fromisoformat("2026-03-04T00:05:00Z"))
    await r.up(LONG)
    assert ask(r, "often", "2026-03-03T05:30:00Z")[0] == "missed"
    verdict, sentence, _ = ask(r, "often", "2026-03-03T05:35:00Z")
    assert (verdict, sentence.startswith("Nothing was due at 2026-03-03 05:35Z")) == ("not_due", True)


MOVING = (
    HEAD.replace("{", "{{").replace("}", "}}")
    + """
  - name: moved
    schedule: {{start: 2026-03-05T06:00:00, weekly: {{on: [thursday]}}, exclude: [freeze], on_exclude: next-day}}
    run: {{command: {{argv: ["{program}"]}}}}
"""
)


@pytest.mark.parametrize(("begin", "verdict"), [("05T04:00:00Z", "will_run"), ("05T12:00:00Z", "would_skip")])
async def test_what_is_moved_runs_only_where_its_row_says_so(rig, ask, begin, verdict):
    """A job that was not known when it was excluded owes nothing, and that is what is said of the day to which it moves."""
    r = rig(f"2026-03-{begin}")
    await r.up(MOVING.format(program="true"))
    await r.tick(hours=2)
    found, sentence, _ = ask(r, "moved", "2026-03-06T06:00:00+01:00")
    assert found == verdict
    await r.tick(days=1)
    last = r.runs("moved")[-1]
    assert (f"{last.fire_time:%d %H}", last.reason == "" or sentence.endswith(last.reason)) == ("06 05", True)
    assert str(last.state) == {"will_run": "succeeded", "would_skip": "skipped"}[verdict]


LATE_RERUN = """
version: 1
calendars: {freeze: {weekly: [{on: monday, from: "00:00", to: "01:00"}]}}
collectors: {toy: {collect: ["false"]}}
jobs:
  - name: scan
    schedule: {weekly: {on: [sunday]}, at: "20:00", start: "2026-01-01T00:00", window: 3h, exclude: [freeze],
      on_closure: hold, rerun: {every: 230m, for: 8h}}
    run: {collect: {type: CollectionJob, assets: [{id: a, type: toy}]}}
"""


async def test_a_late_rerun_waits_for_the_end_of_a_closure(rig, ask):
    """It was due before the closure began and did not start by then: the calendar is what it waits for."""
    one = rig("2026-03-01T19:59:00Z")
    await one.up(LATE_RERUN)
    await one.tick(minutes=1)
    await one.down()
    two = rig("2026-03-02T00:10:00Z")
    await two.up(LATE_RERUN)
    await two.idle()
    verdict, _, rules = ask(two, "scan")
    assert verdict == "waits"
    assert rules["calendar"] == 'calendar "freeze": closed until 2026-03-02T01:00:00Z (on_closure: hold)'
