"""`/healthz` (the process answers) and `/readyz` (it does its work)."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from jobsd.http.parameters import ServiceOf
from jobsd.http.service import Service
from jobsd.views.shapes import Readiness
from scheduler.clock import stopwatch

router = APIRouter(tags=["health"])


def readiness(service: Service) -> Readiness:
    """Whether the scheduling loop and the alarm move and the ledger can be written."""
    now, dispatcher = stopwatch(), service.dispatcher
    reasons = []
    if (still := now - dispatcher.moved_at) > service.stale_s:
        reasons.append(
            f"the scheduling loop has not moved for {still:.0f} s: nothing starts; see the log, restart"
        )
    if (still := now - dispatcher.alarm.moved_at) > service.stale_s:
        reasons.append(f"the alarm clock has not moved for {still:.0f} s: nothing comes due; see the log, restart")
    if not dispatcher.writable:
        reasons.append(
            f"the ledger {service.ledger.path} cannot be written: no run starts; free the disk or mend it"
        )
    return Readiness(ready=not reasons, reasons=reasons)


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """The process answers; needs no token."""
    return "ok\n"


@router.get("/readyz", responses={503: {"model": Readiness}}, response_model=Readiness)
async def readyz(service: ServiceOf) -> Response:
    """Whether the daemon does its work: 200, or 503 with the reasons."""
    found = readiness(service)
    return JSONResponse(found.model_dump(mode="json"), status_code=200 if found.ready else 503)
