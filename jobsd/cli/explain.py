"""`jobsd explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from config.calendars.words import sentence
from jobsd.cli import daemon
from jobsd.cli.coming import provisional, told
from jobsd.cli.files import chosen, read
from jobsd.cli.options import config_option, job_argument, json_option
from jobsd.cli.output import echo_json, note
from jobsd.cli.when import now
from recurrence import explain


@click.command("explain")
@config_option
@daemon.url_option
@json_option
@job_argument
def explain_job(path: Path | None, url: str | None, job: str, *, as_json: bool) -> None:
    """Say JOB's schedule in one plain sentence.

    With -c from the file; without, from the daemon.

    Example: jobsd explain -c jobs.yaml weekly-linux-compliance
    """
    found = explained(path, job) if path else daemon.connect(url).get(f"/v1/explain/{daemon.quoted(job)}")
    if as_json:
        echo_json(found)
        return
    click.echo(found["schedule"])
    if found.get("provisional"):
        note("provisional: the file has no start; it is the instant at which the daemon first loads the job")


def explained(path: Path, name: str) -> dict[str, Any]:
    """`job`, `schedule` (the sentence), `timezone`, and `provisional` where the start is only taken to be now."""
    (job,) = chosen(read(path), (name,), path)
    schedule = job.schedule
    if schedule is None:
        return {"job": job.name, "schedule": "Never by itself.", "timezone": None}
    found = {"job": job.name, "schedule": sentence(explain(told(schedule, now())), job), "timezone": schedule.zone}
    return {**found, "provisional": True} if provisional(schedule) else found
