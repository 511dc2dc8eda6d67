"""The answer: a plain sentence, and the rules that decided, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from recurrence import explain
from scheduler.lifecycle import FINAL, State
from scheduler.model import RunRow
from scheduler.why.coming import around, definition_rules, due_in, facts_zone, future
from scheduler.why.facts import Facts, Force
from scheduler.why.rule import Rule
from scheduler.why.runs import end_of, ended, history, state_at
from scheduler.why.waiting import present
from scheduler.why.words import named, when


@dataclass(frozen=True, slots=True)
class Due:
    """What the answer is about: something that was or comes due; `state` is that of its run."""

    fire_time: datetime
    zone: str
    state: State | None = None
    moved_from: datetime | None = None
    moved_to: datetime | None = None
    window_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Why.

    Attributes:
        verdict: ran, runs, waits, skipped, missed, cancelled, due, will_run, would_skip, not_due, never, unknown.
        sentence: The plain answer, first.
        rules: What decided, in order.
    """

    job: str
    at: datetime
    verdict: str
    sentence: str
    occurrence: Due | None
    run_id: str | None
    rules: tuple[Rule, ...]


_INSTANT = timedelta(microseconds=1)
_OVER = {State.MISSED: "missed", State.SKIPPED: "skipped"}


def why(facts: Facts, force: Force) -> Answer:
    """Why what happens to the job at that instant happens, happened or will."""
    if facts.run is not None:
        return _of_run(facts, force, facts.run)
    if facts.at <= facts.row.known_since and facts.at < force.now:
        return _unknown(facts, force)
    job = force.job
    if job is not None and job.enabled and facts.until > facts.row.watermark:
        seen = facts.row.watermark  # asked for now, what came due before and has no row yet counts too
        due = due_in(job, max(facts.at, seen + _INSTANT) - _INSTANT if facts.given else seen, facts.until)
        if due is not None and due.fire_time <= force.now:
            return _unseen(facts, force, due.fire_time)
        if due is not None:
            verdict, sentence, rules = future(facts, force, job, due)
            occurrence = Due(due.fire_time, facts_zone(force, job), None, due.moved_from, due.moved_to)
            return _answer(facts, verdict, sentence, [*definition_rules(facts, force), *rules], occurrence)
    return _nothing(facts, force)


def _of_run(facts: Facts, force: Force, run: RunRow) -> Answer:
    rules = [*history(facts, force, run)]
    if run.state not in FINAL:
        rules += present(facts, force, run)
    verdict, sentence = _verdict(facts, force, run)
    occurrence = Due(run.fire_time, run.zone, run.state, run.moved_from, None, run.window_end)
    return _answer(facts, verdict, sentence, rules, occurrence, run)


def _verdict(facts: Facts, force: Force, run: RunRow) -> tuple[str, str]:
    """Of the run as it was at that instant, or as it is where it was due just then."""
    if not facts.exact and facts.at < force.now:
        state = state_at(facts, run, facts.at)
        if state not in FINAL:
            due, at = when(run.fire_time, run.zone), when(facts.at, run.zone)
            told = f"At {at} {named(run)}, due {due}, was {state}"
            verdict = "runs" if state is State.RUNNING else "waits"
            since = f"; it {end_of(run)}" if run.state in FINAL else f". {_still(facts, force, run)}"
            return verdict, told + since
    if run.state in FINAL:
        if run.attempts == 0 and run.state is State.CANCELLED:
            return "cancelled", ended(run)
        return _OVER.get(run.state, "ran"), ended(run)
    return "runs" if run.state is State.RUNNING else "waits", _still(facts, force, run)


def _still(facts: Facts, force: Force, run: RunRow) -> str:
    """An active run, and the first thing that it waits for."""
    due = when(run.fire_time, run.zone)
    first = next(iter(present(facts, force, run)), None)
    because = f": {first.says}" if first is not None else ""
    match run.state:
        case State.RUNNING:
            begun = facts.attempts[-1].started_at if facts.attempts else run.opened_at
            since = f"since {when(begun, run.zone)} (attempt {run.attempts})"
            return f"It is running: {named(run)}, due {due}, {since}{because}"
        case State.PENDING:
            return f"It waits to start: {named(run)}, due {due}{because or ': it starts within moments'}"
        case State.RETRYING:
            return f"It waits for its next try: {named(run)}, due {due} ({run.reason}){because}"
        case _:
            return f"It is incomplete: {named(run)}, due {due} ({run.reason}){because}"


def _unknown(facts: Facts, force: Force) -> Answer:
    since = when(facts.row.known_since, force.zone)
    told = next((c for c in reversed(facts.changes) if c.name in {"history_deleted", "pruned"}), None)
    gone = f": {told.reason} ({told.actor}, {when(told.at, force.zone)})" if told is not None else ""
    rule = Rule("known_since", f"every occurrence since {since} is accounted for{gone}")
    return _answer(facts, "unknown", f"Nothing is known of that time: the job is known since {since}", [rule])


def _unseen(facts: Facts, force: Force, fire_time: datetime) -> Answer:
    """It is due, and the planner has not written its row."""
    zone = facts_zone(force, force.job)
    if not force.writable:
        rule = Rule("ledger", "the ledger cannot be written: it is caught up when it can (ledger_not_writable)")
    elif not force.firing:
        rule = Rule("daemon", "the daemon is stopping: it is caught up at its next start")
    else:
        rule = Rule("daemon", "it is looked at within moments, or when earlier ones of the job have started")
    sentence = f"It is due since {when(fire_time, zone)} and has no row yet: {rule.says}"
    return _answer(facts, "due", sentence, [*definition_rules(facts, force), rule], Due(fire_time, zone))


def _nothing(facts: Facts, force: Force) -> Answer:
    """Nothing was, is or will be due at that instant."""
    job, zone = force.job, facts_zone(force, force.job)
    past = facts.given and facts.at < force.now
    rules = _then(facts, force) if past else [*definition_rules(facts, force)]
    if force.now < facts.row.watermark and force.now <= facts.until:
        until = when(facts.row.watermark, zone)
        rules.append(Rule("clock", f"the clock was set back: it fires nothing that has its row, until {until}"))
    about = around(facts, force)
    if not facts.given:
        sentence = "Nothing is due now"
    elif facts.at <= force.now:
        sentence = f"Nothing was due at {when(facts.at, zone)}"
    else:
        sentence = f"Nothing comes due at {when(facts.at, zone)}"
    out = next((rule for rule in rules if rule.rule in _OUT or (job is None and not past)), None)
    if out is not None:
        sentence += f": {out.says}"
    verdict = "never" if job is None or not job.enabled or job.schedule is None else "not_due"
    return _answer(facts, verdict, f"{sentence}. {about}" if about else sentence, rules)


def _then(facts: Facts, force: Force) -> list[Rule]:
    """The definition that was in force at an instant of the past, and whether the job was."""
    version = next((one for one in reversed(facts.versions) if one.from_at <= facts.at), None)
    rules = []
    if version is not None:
        told = "it had no schedule" if version.schedule is None else explain(version.schedule)
        rules.append(Rule("definition", f"{told} In force from {when(version.from_at, force.zone)}"))
    toggle = next((c for c in reversed(facts.changes) if c.at <= facts.at and c.name in _TOGGLES), None)
    if toggle is not None and toggle.name != "arm":
        why_so = f"{toggle.reason or toggle.name} at {when(toggle.at, force.zone)} ({toggle.actor})"
        rules.append(Rule("enabled", f"it was not in force then: {why_so}"))
    return rules or [*definition_rules(facts, force)]


_OUT = frozenset({"enabled", "pause", "clock"})
_TOGGLES = frozenset({"arm", "disarm", "remove"})


def _answer(
    facts: Facts,
    verdict: str,
    sentence: str,
    rules: list[Rule],
    occurrence: Due | None = None,
    run: RunRow | None = None,
) -> Answer:
    run_id = None if run is None else run.run_id
    return Answer(facts.row.name, facts.at, verdict, sentence, occurrence, run_id, tuple(rules))
