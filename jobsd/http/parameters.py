"""What routes take: the service, the caller, instants and page sizes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator, AwareDatetime

from jobsd.http.access import Caller
from jobsd.http.hub import Hub
from jobsd.http.service import Service


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("this instant is out of range") from None


ServiceOf = Annotated[Service, Depends(_service)]
HubOf = Annotated[Hub, Depends(_hub)]
CallerOf = Annotated[Caller, Depends(_caller)]

Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""ISO 8601 with an offset; a `+` in a URL is written %2B."""

JobName = Annotated[str, Path(description="The job's name, in whatever case, or its GUID.")]
RunKey = Annotated[str, Path(description="The run's GUID, the beginning of one GUID only, or its number.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most entries of the answer.")]
