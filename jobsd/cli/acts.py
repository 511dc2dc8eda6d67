"""`jobsd trigger`, `abort`, `rerun`, `pause`, `resume`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import click

from jobsd.cli import daemon
from jobsd.cli.options import AHEAD, job_argument, json_option
from jobsd.cli.output import echo_json, plain
from jobsd.cli.waiting import wait_for
from jobsd.cli.when import as_instant, parsed, relative, utc_text, wall, zone_of
from jobsd.cli.when import now as present
from jobsd.cli.wording import said

wait_option = click.option(
    "--wait", is_flag=True, help="Until it has ended or waits for a rerun; 1 unless succeeded."
)


@click.command()
@daemon.url_option
@wait_option
@json_option
@job_argument
def trigger(url: str | None, job: str, *, wait: bool, as_json: bool) -> None:
    """Run JOB now, whatever its pause or its calendars say.

    Refused while a run of it is active, unless the job says `overlap: allow`. With --wait, the exit code is 1
    unless the run succeeds.

    Example: jobsd trigger weekly-linux-compliance --wait
    """
    asked = daemon.connect(url)
    _ran(asked, asked.post(f"/v1/jobs/{daemon.quoted(job)}/trigger"), wait=wait, as_json=as_json)


@click.command()
@daemon.url_option
@wait_option
@json_option
@click.argument("run")
def rerun(url: str | None, run: str, *, wait: bool, as_json: bool) -> None:
    """Attempt now what RUN left over.

    An incomplete run goes on itself; of a run that has ended, a new run takes the remaining assets. With
    --wait the exit code is 1 unless the run succeeds.

    Example: jobsd rerun 5f3a9c21
    """
    asked = daemon.connect(url)
    _ran(asked, asked.post(f"/v1/runs/{daemon.quoted(run)}/rerun"), wait=wait, as_json=as_json)


@click.command()
@daemon.url_option
@json_option
@click.argument("run")
def abort(url: str | None, run: str, *, as_json: bool) -> None:
    """End RUN: a waiting one at once, one at work as soon as its work has been stopped.

    Example: jobsd abort 5f3a9c21
    """
    found = daemon.connect(url).post(f"/v1/runs/{daemon.quoted(run)}/abort")
    _told(found, as_json=as_json)
    if found["state"] != "cancelled" and not as_json:
        click.echo("its work is being stopped")


@click.command()
@daemon.url_option
@click.option("--until", type=AHEAD, help="End of the pause (exclusive): ISO (UTC), or 2h for in two hours.")
@click.option("--note", metavar="TEXT", help="Why; stands in each occurrence that is skipped.")
@json_option
@job_argument
def pause(url: str | None, until: datetime | date | None, note: str | None, job: str, *, as_json: bool) -> None:
    """Let JOB's occurrences pass, each recorded as skipped; a run that is under way finishes.

    Example: jobsd pause weekly-linux-compliance --until 2026-12-01T06:00Z --note "network works"
    """
    body: dict[str, Any] = {"note": note}
    if until is not None:
        body["until"] = utc_text(as_instant(until, UTC))
    found = daemon.connect(url).post(f"/v1/jobs/{daemon.quoted(job)}/pause", body)
    if as_json:
        echo_json(found)
        return
    end = parsed((found["paused"] or {}).get("until"))
    told = "" if end is None else f" until {wall(end, zone_of(found))}, {relative(end, present())}"
    click.echo(f"{plain(found['job'])} is paused{told}")


@click.command()
@daemon.url_option
@click.option("--catch-up", is_flag=True, help="One run now, in place of all that the pause has passed over.")
@json_option
@job_argument
def resume(url: str | None, job: str, *, catch_up: bool, as_json: bool) -> None:
    """End JOB's pause; what it passed over is not made up for, unless --catch-up asks for one run now.

    With --catch-up it is refused while a run of JOB is active, and the pause goes on.

    Example: jobsd resume weekly-linux-compliance
    """
    found = daemon.connect(url).post(f"/v1/jobs/{daemon.quoted(job)}/resume", {"catch_up": catch_up})
    if as_json:
        echo_json(found)
        return
    coming = parsed(found["next_fire_time"])
    told = "" if coming is None else f", next {wall(coming, zone_of(found))}, {relative(coming, present())}"
    click.echo(f"{plain(found['job'])} is resumed{told}")
    if found["caught_up_by"] is not None:
        click.echo(plain(said(found["caught_up_by"])))
    elif catch_up:
        click.echo("the pause has passed over nothing: there is nothing to catch up")


def _ran(asked: daemon.Daemon, run: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    if wait:
        run = wait_for(asked, run)
    _told(run, as_json=as_json)
    if wait and run["state"] != "succeeded":
        raise click.exceptions.Exit(1)


def _told(run: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(run)
    else:
        click.echo(plain(said(run)))
