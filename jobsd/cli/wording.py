"""Runs and jobs out of the daemon's JSON, as people read them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from jobsd.cli.output import Cell, Row, plain
from jobsd.cli.when import is_utc, length, parsed, relative, wall, zone_of

COLOURS = {
    "succeeded": "green", "done": "green", "fresh": "green", "pass": "green",
    "running": "cyan", "pending": "cyan",
    "retrying": "yellow", "incomplete": "yellow", "missed": "yellow", "expired": "yellow", "timed_out": "yellow",
    "unreachable": "yellow", "unknown": "yellow",
    "failed": "red", "lost": "red", "fail": "red", "error": "red",
    "skipped": "bright_black", "cancelled": "bright_black", "never": "bright_black",
}  # fmt: skip
VERDICTS = ("pass", "fail", "unknown", "error", "notapplicable")
SHORT = 8

Json = Mapping[str, Any]


def state(word: str) -> Cell:
    """A state or a result in its colour."""
    return Cell(word, COLOURS.get(word))


def done(assets: Json) -> str:
    """`8/20` assets covered; empty without assets."""
    return f"{assets['done'] + assets['fresh']}/{assets['total']}" if assets["total"] else ""


def both(instant: datetime, zone: tzinfo) -> str:
    """The instant in `zone`, and in UTC where that differs."""
    return wall(instant, zone) + ("" if is_utc(instant, zone) else f" ({wall(instant, UTC)})")


def verdicts(counts: Json) -> str:
    """`12 pass, 1 fail`."""
    return ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts.get(name))


RUN_HEADINGS = ("RUN", "JOB", "FIRE TIME", "STATE", "ASSETS")


def run_row(run: Json) -> Row:
    """A run under `RUN_HEADINGS`; its fire time to the minute, so that it fits 80 columns."""
    at = datetime.fromisoformat(run["fire_time"])
    where = wall(at.replace(second=0, microsecond=0), zone_of(run))
    return (run["run_id"][:SHORT], run["job"], where, state(run["state"]), done(run["assets"]))


def run_beneath(run: Json) -> Iterator[str]:
    """What stands under a run's row."""
    if run["occurrences"] > 1:
        last = wall(datetime.fromisoformat(run["last_fire_time"]), zone_of(run))
        yield f"    {run['occurrences']} occurrences, up to {last}"
    if run["reason"]:
        yield f"    {plain(run['reason'])}"


def run_facts(run: Json, now: datetime) -> list[Row]:
    """A run, whole, as name and value."""
    zone = zone_of(run)
    at = datetime.fromisoformat(run["fire_time"])
    facts: list[Row] = [
        ("run", f"{run['run_id']} (number {run['run_no']})"),
        ("job", run["job"]),
        ("state", state(run["state"])),
    ]
    facts += [("reason", run["reason"])] if run["reason"] else []
    facts.append(("fire time", f"{both(at, zone)}, {relative(at, now)}, kind {run['kind']}"))
    for name, key in (
        ("moved from", "moved_from"),
        ("started", "started_at"),
        ("window end", "window_end"),
        ("stop asked", "stop_requested_at"),
        ("ended", "ended_at"),
        ("next rerun", "next_rerun_at"),
    ):
        instant = parsed(run.get(key))
        if instant is not None:
            whole = instant.replace(microsecond=0)
            facts.append((name, f"{both(whole, zone)}, {relative(instant, now)}"))
    facts += [("run before", run["parent_run"])] if run["parent_run"] else []
    facts += [("occurrences", str(run["occurrences"]))] if run["occurrences"] > 1 else []
    if run["assets"]["total"]:
        told = ", ".join(f"{n} {name}" for name, n in run["assets"].items() if n and name != "total")
        facts.append(("assets", f"{run['assets']['total']}: {told}"))
    return facts


def attempt_row(attempt: Json, zone: tzinfo) -> Row:
    """number, cause, started, how long, how it ended."""
    began, ended = datetime.fromisoformat(attempt["started_at"]), parsed(attempt["ended_at"])
    how = attempt["ended"] or "under way"
    code = "" if attempt["exit_code"] is None else f", exit code {attempt['exit_code']}"
    reason = f": {attempt['reason']}" if attempt["reason"] else ""
    took = "" if ended is None else length(ended - began)
    where = wall(began.replace(microsecond=0), zone)
    return (str(attempt["number"]), attempt["cause"], where, took, f"{how}{code}{reason}")


def said(run: Json) -> str:
    """A run in one sentence, for the acts."""
    assets = f", assets {done(run['assets'])}" if run["assets"]["total"] else ""
    reason = f": {run['reason']}" if run["reason"] else ""
    return f"run {run['run_id']} of {run['job']} is {run['state']}{assets}{reason}"
