"""What a valid file may say although this version does not act on it: told by `jobsd check`, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from config.definitions import Configuration, JobDefinition
from config.faults import quoted

RUNS = frozenset({"http"})
"""Kinds of `run:` for which there is no runner."""


def not_acted_on(configuration: Configuration) -> Iterator[str]:
    """`FILE:LINE:COLUMN: warning: …` for each part of the file that is written and has no effect."""
    for user in configuration.users:
        place = f"{configuration.places[('users',)]}: warning: users: {quoted(user.name)}"
        if user.token is None and user.password_hash is None:
            how = "without token and password_hash there is no login: `jobsd hash-password` prints a hash"
            yield f"{place}: {how}"


def job_not_acted_on(job: JobDefinition) -> Iterator[tuple[str, str]]:
    """Key and text for each such key of a job."""
    if job.run.kind in RUNS:
        yield "run", f"run.{job.run.kind} cannot be carried out yet: each of its runs fails and says so"
