"""`jobsd runs`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import click

from jobsd.cli import daemon
from jobsd.cli.options import AGO, complete_job, json_option
from jobsd.cli.output import beneath, echo_json_list, echo_lines
from jobsd.cli.when import as_instant, utc_text
from jobsd.cli.wording import RUN_HEADINGS, run_beneath, run_row
from scheduler.lifecycle import State

SHOWN = 50
PAGE = 1000
STATE = click.Choice([state.value for state in State])


@click.command()
@daemon.url_option
@click.option("--job", metavar="JOB", shell_complete=complete_job, help="Only runs of this job.")
@click.option("--state", "states", multiple=True, type=STATE, help="Only in this state; repeat it for more.")
@click.option("--since", type=AGO, help="Only fire times from then on: ISO (UTC), or 2h for two hours ago.")
@click.option("-n", "most", type=click.IntRange(1), help=f"So many; default: {SHOWN}, or with --since all.")
@json_option
def runs(
    url: str | None,
    job: str | None,
    states: tuple[str, ...],
    since: datetime | date | None,
    most: int | None,
    *,
    as_json: bool,
) -> None:
    """Show what has run, newest first: what became of it, and why.

    RUN is the beginning of the run's id, and as good as all of it: jobsd show, logs, abort and rerun take it.

    Example: jobsd runs --job weekly-linux-compliance --state incomplete --since 30d
    """
    query = [("job", job)] if job else []
    query += [("state", state) for state in states]
    query += [("since", utc_text(as_instant(since, UTC)))] if since is not None else []
    count = most if most is not None or since is not None else SHOWN
    found = _pages(daemon.connect(url), query, count)
    if as_json:
        echo_json_list(found)
    else:
        echo_lines(lines(list(found)))


def _pages(asked: daemon.Daemon, query: Sequence[tuple[str, str]], most: int | None) -> Iterator[dict[str, Any]]:
    """Runs, newest first, a page after the other; at most `most`."""
    before: list[tuple[str, str]] = []
    left = most
    while left is None or left > 0:
        size = PAGE if left is None else min(left, PAGE)
        page = asked.get("/v1/runs", [*query, *before, ("limit", str(size))])
        yield from page
        if len(page) < size:
            return
        before = [("before", page[-1]["run_id"])]
        left = None if left is None else left - size


def lines(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A table, with reasons under their runs."""
    yield from beneath(RUN_HEADINGS, [run_row(run) for run in found], [list(run_beneath(run)) for run in found])
    if not found:
        yield "no runs"
