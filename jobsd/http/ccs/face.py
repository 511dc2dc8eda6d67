"""The face as an application of its own: its routes, its errors, its tokens."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI

from jobsd.http.ccs import errors, jobs, runs, tokens
from jobsd.http.ccs.logins import Logins
from jobsd.http.service import Service

PREFIX = "/ccs/api/v1"


def build(service: Service, logins: Logins) -> FastAPI:
    """The face; its paths begin with PREFIX, in lower case (`Folded` brings all others into that form).

    `logins` are counted together with those of other faces.
    """
    app = FastAPI(
        title="jobsd: CCS",
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.service, app.state.logins, app.state.changes = service, logins, asyncio.Lock()
    for router in (tokens.router, jobs.router, runs.router):
        app.include_router(router, prefix=PREFIX)
    errors.install(app)
    return app
