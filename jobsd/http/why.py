"""`/v1/jobs/{name}/why`: which rules make a job run, skip or wait."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter

from jobsd.http.errors import RESPONSES
from jobsd.http.parameters import Instant, JobName, ServiceOf
from jobsd.http.service import Service
from jobsd.views.why import WhyView, why_view
from scheduler.ledger import asking
from scheduler.why import Force, why

router = APIRouter(prefix="/v1", tags=["jobs"], responses=RESPONSES)


@router.get("/jobs/{name:path}/why")
async def show_why(service: ServiceOf, name: JobName, at: Instant | None = None) -> WhyView:
    """Why the job ran, runs, waits, did not run or will not: now, or `at` an instant.

    An instant without seconds means all of its minute.
    """
    now = service.now()
    facts = await service.read(lambda connection: asking.gather(connection, name, at=at, now=now))
    return why_view(why(facts, _in_force(service, facts.row.name, now)))


def _in_force(service: Service, name: str, now: datetime) -> Force:
    dispatcher, settings = service.dispatcher, service.configuration.settings
    return Force(
        now=now,
        zone=settings.timezone,
        job=dispatcher.definition(name),
        unreadable=dispatcher.is_unreadable(name),
        definitions=dispatcher.definitions,
        max_running=settings.max_running,
        limits=settings.limits,
        used=dispatcher.executor.limits(),
        pacing=dispatcher.pacing,
        writable=dispatcher.writable,
        firing=dispatcher.firing,
    )
