"""From a job run's status to what it means here. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from runners.api import Ended, Outcome
from runners.ccs.wire import JobStatus, Status

SKEW = timedelta(minutes=5)
"""How far the clocks of two hosts of one domain may be apart."""

_LATEST = datetime.max.replace(tzinfo=UTC)


def outcome_of(status: JobStatus, *, asked: bool) -> Outcome:
    """The outcome of a job run that has ended; `asked` says whether its abort was asked for here."""
    told = status.exception or status.custom_status_text or status.summary or ""
    match status.status:
        case Status.COMPLETED:
            return Outcome(Ended.COMPLETED, status.summary or "")
        case Status.ABORTED if asked:
            return Outcome(Ended.STOPPED, "aborted on the server, as asked")
        case Status.ABORTED:
            return Outcome(Ended.FAILED, _sentence("it was aborted on the server, not by this daemon", told))
        case Status.CUSTOM:
            told = status.custom_status_text or told
            return Outcome(Ended.FAILED, _sentence("it ended with a status of its own", told))
        case _:
            return Outcome(Ended.FAILED, _sentence("it faulted on the server", told), retryable=True)


def newer_runs(runs: Sequence[JobStatus], *, baseline: str, sent_at: datetime) -> tuple[JobStatus, ...]:
    """Those of a job's runs that began after the run `baseline` did, oldest first.

    An empty baseline is older than all. Where the baseline is not among them any more, those count that began
    after `sent_at`, the clocks' difference allowed for. A run that has no start yet is the newest.
    """
    ordered = sorted(_oldest_first(runs), key=lambda run: run.started_at or _LATEST)
    places = [place for place, run in enumerate(ordered) if run.job_run_id == baseline]
    if places:
        return tuple(ordered[places[-1] + 1 :])
    if not baseline:
        return tuple(ordered)
    return tuple(run for run in ordered if (run.started_at or _LATEST) >= sent_at - SKEW)


def _oldest_first(runs: Sequence[JobStatus]) -> list[JobStatus]:
    """The server's own order, which is not documented, turned so that its starts rise."""
    starts = [run.started_at for run in runs if run.started_at is not None]
    falling = len(starts) < 2 or starts[0] >= starts[-1]
    return list(reversed(runs)) if falling else list(runs)


def _sentence(what: str, told: str) -> str:
    return f"{what}: {told}" if told else what
