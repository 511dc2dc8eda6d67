"""What the parts of one execution of `run.sde` share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from config.definitions import SdeRun
from runners.api import Execution
from runners.sde import memory
from runners.sde.asking import Asking
from runners.sde.wire import Job, JobState, Kind

LIMITS = {Kind.LDAP: timedelta(hours=7)}
"""By kind, how long a job may take by default: the server's own limits."""

LIMIT = timedelta(hours=6)
"""That of the other kinds."""


@dataclass(frozen=True, slots=True)
class Work:
    """One execution at one connection."""

    run: SdeRun
    execution: Execution
    asking: Asking

    @property
    def kind(self) -> Kind:
        """Of the connection."""
        return Kind(self.run.connection_kind)

    @property
    def limit(self) -> timedelta:
        """How long a job may take from its initiation until it is ready."""
        return self.run.deadline or LIMITS.get(self.kind, LIMIT)

    @property
    def place(self) -> str:
        """The connection, for memory."""
        return memory.place(self.kind, self.run.connection, self.asking.client.host)

    def seen(self, job: Job) -> dict[str, str | None]:
        """What is remembered of a look at the job of this run."""
        failed_in = str(self.execution.attempt) if job.state is JobState.FAILED else None
        return {memory.STATUS: job.state.value, memory.FAILED_IN: failed_in}
