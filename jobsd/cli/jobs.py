"""`jobsd jobs`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from jobsd.cli import daemon
from jobsd.cli.options import json_option
from jobsd.cli.output import Cell, Row, beneath, echo_json, echo_lines, plain
from jobsd.cli.when import now as present
from jobsd.cli.when import parsed, relative, wall, zone_of
from jobsd.cli.wording import done, state


@click.command()
@daemon.url_option
@json_option
def jobs(url: str | None, *, as_json: bool) -> None:
    """Show the jobs: when they run next, how the last run went, what is covered.

    Example: jobsd jobs
    """
    found: list[dict[str, Any]] = daemon.connect(url).get("/v1/jobs")
    if as_json:
        echo_json(found)
    else:
        echo_lines(lines(found, present()))


def lines(found: Sequence[dict[str, Any]], now: datetime) -> Iterator[str]:
    """A table, with pauses under their jobs, and what jobs of an API are."""
    rows = [_row(job, now) for job in found]
    yield from beneath(("JOB", "NEXT", "", "LAST", "ASSETS"), rows, [list(_under(job, now)) for job in found])
    if not found:
        yield "no jobs"


def _row(job: dict[str, Any], now: datetime) -> Row:
    coming, last, coverage = parsed(job["next_fire_time"]), job["last_run"], job["coverage"]
    if coming is not None:
        when, soon = wall(coming, zone_of(job)), relative(coming, now)
    else:
        when, soon = ("never" if job["enabled"] else "disabled"), ""
    how: str | Cell = "" if last is None else state(last["state"])
    return (job["job"], when, soon, how, done(coverage["counts"]))


def _under(job: dict[str, Any], now: datetime) -> Iterator[str]:
    if job["origin"] != "yaml":
        by = f" by {plain(job['creator'])}" if job["creator"] else ""
        what = f"{plain(job['description'])}, " if job["description"] else ""
        yield f"    {what}made through {plain(job['origin'])}{by}"
    pause = job["paused"]
    if pause is None:
        return
    until = parsed(pause["until"])
    end = "" if until is None else f" until {wall(until, zone_of(job))}, {relative(until, now)}"
    by = f" by {pause['by']}" if pause["by"] else ""
    note = f": {plain(pause['note'])}" if pause["note"] else ""
    yield f"    paused{by}{end}{note}"
