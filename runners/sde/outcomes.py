"""From a job of an SDE server to what it means here. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import PurePosixPath

from runners.api import Ended, Outcome, StopReason
from runners.sde.errors import Refused
from runners.sde.wire import FileImport, Job, JobState, Kind, base_name

_LONGEST = 1_000

_HOPELESS = frozenset({400, 401, 403, 404, 405, 413, 415})


def outcome_of(job: Job) -> Outcome:
    """The outcome of a job that is ready."""
    if job.state is JobState.SUCCEEDED:
        return Outcome(Ended.COMPLETED, message_of(job))
    return Outcome(Ended.FAILED, failure_of(job), retryable=True)


def failure_of(job: Job) -> str:
    """Why a job that is ready did not succeed."""
    return f"job {job.id} failed: {message_of(job) or 'the server gives no reason'}"


def message_of(job: Job) -> str:
    """Its result_message on one line, cut."""
    text = " ".join(job.course.result_message.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def overdue(job_id: int, limit: timedelta, *, begun: str) -> str:
    """What is said of a job that was `begun` too long ago and is not ready."""
    return f"job {job_id} was not ready {_words(limit)} after it was {begun}; it may still go on at the server"


def goes_on(job_id: int, reason: StopReason | None) -> str:
    """What is said of a job that is no longer watched."""
    if reason is StopReason.SHUTDOWN:
        return f"job {job_id} goes on at the server and is found again at the next start"
    if reason in (StopReason.WINDOW_END, StopReason.NEXT_RERUN):
        return f"job {job_id} goes on at the server, which cannot cancel it: the rerun looks at it first"
    if reason is StopReason.CLOSURE:
        return f"job {job_id} goes on at the server, which cannot cancel it: the next attempt looks at it first"
    return f"job {job_id} goes on at the server, which cannot cancel it"


def may_pass(error: Refused) -> bool:
    """Whether trying again may help."""
    return error.status >= 400 and error.status not in _HOPELESS


def ours(newer: Iterable[Job], kind: Kind) -> list[Job]:
    """Those of a connection's jobs that a scheduler may have initiated, the oldest first.

    LDAP jobs are told as automatic by nobody: the vendor's answer to one that was posted so says false.
    """
    found = (job for job in newer if job.course.automatic or kind is Kind.LDAP)
    return sorted(found, key=lambda job: job.id)


def is_import_of(job: Job, wanted: FileImport) -> bool:
    """Whether the job may import that file: by project, and by the file's name or what a store made of it."""
    if job.attachment is None or job.connection.project not in (None, wanted.project):
        return False
    name = base_name(job.attachment)
    if name == wanted.file_name:
        return True
    # Names that are taken get seven characters; blanks become underscores.
    kept = PurePosixPath(re.sub(r"[^-\w.]", "", wanted.file_name.strip().replace(" ", "_")))
    return re.fullmatch(re.escape(kept.stem) + r"(_[A-Za-z0-9]{7})?" + re.escape(kept.suffix), name) is not None


def _words(limit: timedelta) -> str:
    seconds = limit.total_seconds()
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"
