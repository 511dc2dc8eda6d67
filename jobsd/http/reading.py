"""What the faces show, put together from the ledger and from what is in force; each is one reading operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.definitions import Configuration, JobDefinition, SdeAgentRun, SdeFileRun
from jobsd import views
from jobsd.http.service import Service
from jobsd.views.shapes import AssetView, Coverage, JobView, RunDetail, RunView
from scheduler.ledger import (
    Connection,
    api_jobs,
    assets,
    attempts,
    covering,
    deliveries,
    jobs,
    memory,
    opening,
    queries,
)
from scheduler.lifecycle import State
from scheduler.model import JobRow, RunRow


@dataclass(frozen=True, slots=True)
class Reader:
    """What is in force at one instant, for the operations below."""

    configuration: Configuration
    definitions: Mapping[str, JobDefinition]
    now: datetime

    @classmethod
    def of(cls, service: Service) -> Reader:
        """What is in force now. Raises Unanswered before the first configuration is."""
        return cls(service.configuration, service.dispatcher.definitions, service.now())

    def jobs(self, connection: Connection, *, after: str, limit: int, removed: bool) -> list[JobView]:
        """Jobs by name, those after the name `after`; with `removed` also those that are no longer defined."""
        names = None if removed else self.definitions.keys()
        return self._job_views(connection, queries.list_jobs(connection, names, after=after, limit=limit))

    def job(self, connection: Connection, name: str) -> JobView:
        """One job. Raises NotFound."""
        return self._job_views(connection, [jobs.find(connection, name)])[0]

    def _job_views(self, connection: Connection, rows: Sequence[JobRow]) -> list[JobView]:
        job_ids = [row.job_id for row in rows]
        latest, creators = queries.latest_runs(connection, job_ids), api_jobs.creators(connection, job_ids)
        shown = {
            run.job_id: view
            for run, view in zip(latest.values(), self.runs(connection, list(latest.values())), strict=True)
        }
        return [
            views.job_view(
                row,
                self.facts(connection, row),
                creator=creators.get(row.job_id),
                last_run=shown.get(row.job_id),
                coverage=views.coverage_summary(self._covering(connection, row)),
                now=self.now,
            )
            for row in rows
        ]

    def facts(self, connection: Connection, row: JobRow) -> views.JobFacts:
        """What is shown of a job's definition: of the one in force, else of the last one that was."""
        zone = self.configuration.settings.timezone
        definition = self.definitions.get(row.name)
        if definition is not None:
            return views.JobFacts.of(definition, zone=zone)
        _, schedule = jobs.present_schedule(connection, row)
        return views.JobFacts.remembered(row, schedule, queries.body_of(connection, row), zone=zone)

    def coverage(self, connection: Connection, name: str) -> Coverage:
        """The coverage of a job. Raises NotFound."""
        row = jobs.find(connection, name)
        zone = self.facts(connection, row).zone
        return views.coverage_view(row, self._covering(connection, row), zone=zone, now=self.now)

    def _covering(self, connection: Connection, row: JobRow) -> covering.Covering:
        definition = self.definitions.get(row.name)
        refs = () if definition is None else opening.assets_of(definition, self.configuration)
        if definition is not None and isinstance(definition.run, SdeAgentRun | SdeFileRun):
            refs = covering.newest_assets(connection, row.job_id)
        return covering.covering(connection, row.job_id, refs)

    def list_runs(
        self,
        connection: Connection,
        *,
        job: str | None,
        states: Sequence[State],
        since: datetime | None,
        before: str | None,
        limit: int,
    ) -> list[RunView]:
        """Runs, newest first. Raises NotFound for an unknown job or an unknown `before`."""
        job_id = None if job is None else jobs.find(connection, job).job_id
        which = queries.RunFilter(job_id=job_id, states=frozenset(states), since=since)
        last = None if before is None else queries.find_run(connection, before)
        return self.runs(connection, queries.list_runs(connection, which, limit=limit, before=last))

    def active(self, connection: Connection, *, limit: int) -> list[RunView]:
        """The runs that are not final, newest first."""
        return self.runs(connection, queries.active_runs(connection)[:limit])

    def runs(self, connection: Connection, rows: Sequence[RunRow]) -> list[RunView]:
        """These runs with their assets counted."""
        tallies = queries.tallies(connection, [run.run_no for run in rows if run.has_assets])
        return [views.run_view(run, tallies.get(run.run_no, {})) for run in rows]

    def run(self, connection: Connection, key: str) -> RunDetail:
        """One run, whole. Raises NotFound."""
        run = queries.find_run(connection, key)
        row = jobs.named(connection, run.job)
        return views.run_detail(
            run,
            assets.tally(connection, run.run_no),
            attempts.of_run(connection, run.run_no),
            queries.events_of_run(connection, run.run_no),
            deliveries.of_run(connection, run.run_no),
            next_rerun_at=views.next_rerun_at(run, row, self.definitions.get(run.job), self.now),
            memory=memory.of_run(connection, run.run_no),
        )

    def assets(self, connection: Connection, key: str) -> list[AssetView]:
        """The assets of a run with their results. Raises NotFound."""
        run = queries.find_run(connection, key)
        return views.asset_views(assets.of_run(connection, run.run_no), assets.results(connection, run.run_no))
