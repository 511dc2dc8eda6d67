"""What the parts of one execution share."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from config.definitions import CcsRun, CcsServer
from runners.api import Execution
from runners.ccs.client import Client
from runners.ccs.patience import Patience


@dataclass(slots=True)
class Claims:
    """Which execution works on what, so that none takes another's for its own.

    Attributes:
        job_runs: The run here by the id of its job run there; beyond an attempt only its memory tells.
        jobs: Held while the job of that name here is made ready there.
    """

    job_runs: dict[str, str] = field(default_factory=dict)
    jobs: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))


@dataclass(frozen=True, slots=True)
class Work:
    """One execution at one server; `claims` are those of all executions."""

    run: CcsRun
    server: CcsServer
    execution: Execution
    client: Client
    patience: Patience
    claims: Claims


@dataclass(frozen=True, slots=True)
class JobRun:
    """A job run on the server, with the job that it is one of; GUIDs in lower case."""

    job_id: str
    run_id: str
