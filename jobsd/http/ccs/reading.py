"""What the face shows of jobs and runs, put together from the ledger and from what is in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.definitions import CollectRun, Configuration, JobDefinition
from jobsd.http.service import Service
from runners.api import AssetState
from runners.ccs.definition import details_in
from runners.ccs.describing import details_of
from runners.ccs.wire import JobStatus, Status
from runners.ccs.wire.activities import Activity
from runners.ccs.wire.properties import JobProperties
from scheduler.ledger import Connection, NotFound, api_jobs, assets, jobs, queries, versions
from scheduler.ledger.api_jobs import ApiJob
from scheduler.lifecycle import STATUS, State
from scheduler.lifecycle import Status as StateStatus
from scheduler.model import JobRow, RunRow

BEGUN = frozenset(State) - {State.MISSED, State.SKIPPED}
"""The states of job runs that clients see: what never started was none."""

MOST_ACTIVITIES = 1000
"""Assets that one job run lists."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What is in force at one instant, for the operations below; each of them raises NotFound."""

    configuration: Configuration
    definitions: Mapping[str, JobDefinition]

    @classmethod
    def of(cls, service: Service) -> Reader:
        """What is in force now. Raises Unanswered before the first configuration is."""
        return cls(service.configuration, service.dispatcher.definitions)

    def row(self, connection: Connection, guid: str) -> JobRow:
        """The job with this GUID, if it is one that collects or evaluates and is in force."""
        row = jobs.by_guid(connection, guid)
        if not self.shows(row):
            raise NotFound(f"there is no job {guid}")
        return row

    def own(self, connection: Connection, guid: str) -> ApiJob | None:
        """What the job with this GUID was made from; None for one of the configuration file."""
        return api_jobs.get(connection, self.row(connection, guid).job_id)

    def job(self, connection: Connection, guid: str) -> JobProperties:
        """One job."""
        return self._properties(connection, [self.row(connection, guid)], runs=True)[0]

    def named(self, connection: Connection, name: str) -> JobProperties:
        """The job of this name; case does not matter."""
        row = jobs.named(connection, name)
        if not self.shows(row):
            raise NotFound(f"there is no job {name!r}")
        return self._properties(connection, [row], runs=True)[0]

    def every(self, connection: Connection, *, runs: bool) -> list[JobProperties]:
        """All jobs, by name without regard to case, without their details; `runs`: with their newest runs."""
        names = [name for name, job in self.definitions.items() if isinstance(job.run, CollectRun)]
        return self._properties(connection, queries.list_jobs(connection, names), runs=runs, details=False)

    def whole(self, connection: Connection, found: Sequence[JobProperties]) -> list[JobProperties]:
        """These jobs with all that is shown of them."""
        rows = [jobs.by_guid(connection, job.job_id) for job in found]
        return self._properties(connection, rows, runs=True)

    def runs(self, connection: Connection, guid: str, *, count: int, messages: bool) -> list[JobStatus]:
        """The newest `count` job runs of a job (0: all), newest first."""
        row = self.row(connection, guid)
        which = queries.RunFilter(job_id=row.job_id, states=BEGUN)
        found = queries.list_runs(connection, which, limit=count or -1)
        return self.statuses(connection, row, found, messages=messages)

    def statuses(
        self, connection: Connection, row: JobRow, found: Sequence[RunRow], *, messages: bool
    ) -> list[JobStatus]:
        """The statuses of these runs of one job."""
        tallies = queries.tallies(connection, [run.run_no for run in found if run.has_assets])
        return [
            status_of(
                run,
                row.guid,
                tallies.get(run.run_no, {}),
                _activities(connection, run) if messages else (),
            )
            for run in found
        ]

    def shows(self, row: JobRow) -> bool:
        """Whether clients see this job: it is in force, and collects or evaluates."""
        definition = self.definitions.get(row.name)
        return definition is not None and isinstance(definition.run, CollectRun)

    def _properties(
        self, connection: Connection, rows: Sequence[JobRow], *, runs: bool, details: bool = True
    ) -> list[JobProperties]:
        made = versions.made(connection, [row.job_id for row in rows])
        newest = _newest(connection, rows) if runs else {}
        found = []
        for row in rows:
            known, run = made[row.job_id], newest.get(row.job_id)
            job = self.definitions[row.name]
            assert isinstance(job.run, CollectRun)  # noqa: S101 - others are not shown
            found.append(
                JobProperties(
                    job_id=row.guid,
                    name=row.name,
                    job_type=job.run.type,
                    description=job.description,
                    details=self._details(connection, row, job, job.run) if details else {},
                    created_at=known.created_at,
                    modified_at=known.modified_at,
                    created_by=known.creator,
                    last_status=Status.NONE if run is None else Status(STATUS[run.state]),
                    last_run_at=None if run is None else run.started_at or run.fire_time,
                )
            )
        return found

    def _details(
        self, connection: Connection, row: JobRow, job: JobDefinition, run: CollectRun
    ) -> Mapping[str, Any]:
        api = api_jobs.get(connection, row.job_id)
        return details_of(job, run, self.configuration).wire() if api is None else details_in(api.source)


def status_of(
    run: RunRow, guid: str, tally: Mapping[AssetState, int], activities: Iterable[Activity] = ()
) -> JobStatus:
    """A run as a job run of the job `guid`."""
    status = STATUS[run.state]
    return JobStatus(
        job_run_id=run.run_id,
        job_id=guid,
        status=Status(status),
        custom_status_text=run.reason if status is StateStatus.CUSTOM else "",
        exception=run.reason or None if status is StateStatus.FAULTED else None,
        started_at=run.started_at,
        ended_at=run.ended_at,
        summary=_summary(run, tally),
        activities=tuple(activity.wire() for activity in activities),
    )


def _summary(run: RunRow, tally: Mapping[AssetState, int]) -> str | None:
    """How far it came, in words: 12 of 20 assets done, 3 failed."""
    total = sum(tally.values())
    if not total:
        return run.reason or None
    done = tally.get(AssetState.DONE, 0) + tally.get(AssetState.FRESH, 0)
    left = {
        "failed": AssetState.FAILED,
        "timed out": AssetState.TIMED_OUT,
        "unreachable": AssetState.UNREACHABLE,
        "open": AssetState.OPEN,
    }
    parts = [f"{tally[state]} {word}" for word, state in left.items() if tally.get(state)]
    text = ", ".join([f"{done} of {total} assets done", *parts])
    return f"{text}; {run.reason}" if run.reason else text


def _activities(connection: Connection, run: RunRow) -> list[Activity]:
    rows = assets.of_run(connection, run.run_no)[:MOST_ACTIVITIES]
    return [
        Activity(
            asset_id=row.asset.id,
            asset_type=row.asset.type,
            status=str(row.state),
            message=row.reason,
            started_at=row.started_at,
            ended_at=row.ended_at,
        )
        for row in rows
    ]


def _newest(connection: Connection, rows: Sequence[JobRow]) -> dict[int, RunRow]:
    """The newest run of each job that clients see."""
    found = queries.latest_runs(connection, [row.job_id for row in rows])
    for job_id, newest in list(found.items()):
        if newest.state not in BEGUN:
            which = queries.RunFilter(job_id=job_id, states=BEGUN)
            older = queries.list_runs(connection, which, limit=1)
            found.pop(job_id)
            found.update((run.job_id, run) for run in older)
    return found
