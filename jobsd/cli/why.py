"""`jobsd why`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from typing import Any

import click

from jobsd.cli import daemon
from jobsd.cli.options import MOMENT, job_argument, json_option
from jobsd.cli.output import echo_json, echo_lines, plain, table
from jobsd.cli.when import as_instant, utc_text, zone_of


@click.command()
@daemon.url_option
@click.option(
    "--at", type=MOMENT, metavar="ISO", help="At that time; without an offset in the job's zone. Default: now."
)
@json_option
@job_argument
def why(url: str | None, job: str, at: datetime | date | None, *, as_json: bool) -> None:
    """Say why JOB ran, runs, waits, did not run or will not: a sentence, then the rules that decided, in order.

    A time without seconds means all of its minute, so that `--at 2026-03-02T22:00` finds what was due at 22:00:37.

    JSON: `job`, `at`, `verdict` (ran, runs, waits, skipped, missed, cancelled, due, will_run, would_skip, not_due,
    never, unknown), `sentence`, `occurrence`, `run_id`, `rules`: a list of `rule` and `says`.

    Example: jobsd why weekly-linux-compliance --at 2026-11-27T22:00
    """
    asked = daemon.connect(url)
    path = f"/v1/jobs/{daemon.quoted(job)}"
    query = [] if at is None else [("at", utc_text(as_instant(at, _zone(asked, path, at))))]
    found: dict[str, Any] = asked.get(f"{path}/why", query)
    if as_json:
        echo_json(found)
    else:
        echo_lines(lines(found))


def _zone(asked: daemon.Daemon, path: str, at: datetime | date) -> tzinfo:
    """The zone in which `at` is read: its own, or the job's."""
    own = at.tzinfo if isinstance(at, datetime) else None
    return own or zone_of(asked.get(path))


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The sentence, then the rules."""
    yield plain(f"{found['sentence']}.")
    if found["rules"]:
        yield ""
        yield from table(("RULE", "SAYS"), [(rule["rule"], rule["says"]) for rule in found["rules"]])
    if found["run_id"]:
        yield ""
        yield f"All of it: jobsd show {found['run_id'][:8]}"
