"""`jobsd deliveries`, `jobsd resend`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from jobsd.cli import daemon
from jobsd.cli.options import complete_job, json_option
from jobsd.cli.output import Cell, Row, beneath, echo_json, echo_json_list, echo_lines, plain
from jobsd.cli.when import now as present
from jobsd.cli.when import parsed, relative, wall, zone_of

SHOWN = 50
PAGE = 1000
SHORT = 8
STATES = ("pending", "delivered", "refused", "void")
COLOURS = {"pending": "yellow", "delivered": "green", "refused": "red", "void": "bright_black"}
HEADINGS = ("DELIVERY", "RUN", "JOB", "ABOUT", "WRITTEN", "STATE", "TO")


@click.command()
@daemon.url_option
@click.option("--job", metavar="JOB", shell_complete=complete_job, help="Only of this job.")
@click.option("--run", metavar="RUN", help="Only of this run.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES), help="Only in this state; repeat it for more."
)
@click.option("-n", "most", type=click.IntRange(1), default=SHOWN, show_default=True, help="So many.")
@json_option
def deliveries(
    url: str | None, job: str | None, run: str | None, states: tuple[str, ...], most: int, *, as_json: bool
) -> None:
    """Show what was or is to be sent, newest first: to whom, and what became of it.

    Mails, webhooks, heartbeats, and results that the remote agent posts to SDE servers.

    Example: jobsd deliveries --state refused --state pending
    """
    query = [("job", job)] if job else []
    query += [("run", run)] if run else []
    query += [("state", state) for state in states]
    found = _pages(daemon.connect(url), query, most)
    if as_json:
        echo_json_list(found)
    else:
        echo_lines(lines(list(found), present()))


@click.command()
@daemon.url_option
@json_option
@click.argument("delivery")
def resend(url: str | None, delivery: str, *, as_json: bool) -> None:
    """Send DELIVERY again if it was refused, or now if it waits.

    Who has it already is not sent it again. DELIVERY is its id, the beginning of the id, or its number.

    Example: jobsd resend 0699b76b
    """
    found = daemon.connect(url).post(f"/v1/deliveries/{daemon.quoted(delivery)}/resend")
    if as_json:
        echo_json(found)
    else:
        click.echo(f"{found['kind']} {found['delivery_id']} to {plain(found['target'])} is sent now")


def _pages(asked: daemon.Daemon, query: Sequence[tuple[str, str]], most: int) -> Iterator[dict[str, Any]]:
    before: list[tuple[str, str]] = []
    left = most
    while left > 0:
        size = min(left, PAGE)
        page = asked.get("/v1/deliveries", [*query, *before, ("limit", str(size))])
        yield from page
        if len(page) < size:
            return
        before = [("before", page[-1]["delivery_id"])]
        left -= size


def lines(found: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    """A table, with reasons under their deliveries."""
    yield from beneath(HEADINGS, map(_row, found), [list(_under(one, now)) for one in found])
    if not found:
        yield "no deliveries"


def _row(one: Mapping[str, Any]) -> Row:
    written = datetime.fromisoformat(one["created_at"]).replace(second=0, microsecond=0)
    return (
        one["delivery_id"][:SHORT],
        (one["run_id"] or "")[:SHORT],
        one["job"] or "",
        about(one),
        wall(written, zone_of(one)),
        Cell(one["state"], COLOURS.get(one["state"])),
        to(one),
    )


def about(one: Mapping[str, Any]) -> str:
    """What it tells, in a few words."""
    result = one.get("result")
    if result is None:
        return f"{one['kind']}, {one['about']}"
    return f"{one['kind']}, {'success' if result['succeeded'] else 'failure'}"


def to(one: Mapping[str, Any]) -> str:
    """To whom it goes, and for which connection there."""
    result = one.get("result")
    return one["target"] if result is None else f"{one['target']}: {result['kind']} {result['connection']}"


def _under(one: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """What is posted; why it is where it is, and when it is tried again."""
    result = one.get("result")
    if result is not None and result["result_message"]:
        yield f"    result: {plain(result['result_message'])}"
    if result is not None and result["sde_job"] is not None:
        yield f"    SDE job {result['sde_job']}"
    due_at = parsed(one["due_at"])
    tries = f"after {one['tries']} {'try' if one['tries'] == 1 else 'tries'}, " if one["tries"] else ""
    again = "" if due_at is None or due_at <= now else f"{tries}next {relative(due_at, now)}"
    said = ": ".join(text for text in (again, one["reason"]) if text)
    if said:
        yield f"    {plain(said)}"
