"""`jobsd journal`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from jobsd.cli import daemon
from jobsd.cli.options import complete_job, json_option
from jobsd.cli.output import Cell, Row, echo_json_list, echo_lines, table
from jobsd.cli.when import wall
from jobsd.cli.wording import SHORT, state

SHOWN = 50
PAGE = 1000
HEADINGS = ("WHEN", "EVENT", "JOB", "RUN", "STATE", "BY", "REASON")


@click.command()
@daemon.url_option
@click.option("--job", metavar="JOB", shell_complete=complete_job, help="Only of this job (deleted: its GUID).")
@click.option("--acts", is_flag=True, help="Only what somebody did, not what the clock did.")
@click.option("-n", "most", type=click.IntRange(1), default=SHOWN, show_default=True, help="So many.")
@json_option
def journal(url: str | None, job: str | None, most: int, *, acts: bool, as_json: bool) -> None:
    """Show who did what, when and from where, newest first: of jobs and of runs.

    Times are UTC. BY is who, by what (cli, api, signal, clock) and from which address.

    Example: jobsd journal --acts --job weekly-linux-compliance
    """
    query = [("job", job)] if job else []
    query += [("acts", "true")] if acts else []
    found = _pages(daemon.connect(url), query, most)
    if as_json:
        echo_json_list(found)
    else:
        echo_lines(lines(list(found)))


def _pages(asked: daemon.Daemon, query: Sequence[tuple[str, str]], most: int) -> Iterator[dict[str, Any]]:
    before: list[tuple[str, str]] = []
    left = most
    while left > 0:
        size = min(left, PAGE)
        page = asked.get("/v1/journal", [*query, *before, ("limit", str(size))])
        yield from page
        if len(page) < size:
            return
        before = [("before", str(page[-1]["event_id"]))]
        left -= size


def lines(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A table of events."""
    yield from table(HEADINGS, [_row(event) for event in found])
    if not found:
        yield "no events"


def _row(event: dict[str, Any]) -> Row:
    at = datetime.fromisoformat(event["at"]).replace(microsecond=0)
    attempt = "" if event["attempt"] is None else f" {event['attempt']}"
    became: str | Cell = state(event["to_state"]) if event["to_state"] else ""
    by = " ".join(word for word in (event["actor"], event["by"], event["origin"]) if word)
    name, run = event["job"] or "", (event["run_id"] or "")[:SHORT]
    return (wall(at, UTC), event["name"] + attempt, name, run, became, by, event["reason"])
