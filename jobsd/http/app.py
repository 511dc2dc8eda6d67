"""The application: routes, errors, and the gate around them."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp

from jobsd.http import errors, health, jobs, page, runs, streams
from jobsd.http.access import Access
from jobsd.http.gate import MOST_BODY, Gate
from jobsd.http.hub import Hub
from jobsd.http.service import Service


def build(service: Service, hub: Hub, access: Access) -> ASGIApp:
    """The whole application."""
    app = FastAPI(
        title="jobsd",
        version=version("jobsd"),
        summary="Jobs, runs, assets and events of one daemon.",
        redirect_slashes=False,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        max_body_size=MOST_BODY,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.service, app.state.hub = service, hub
    for router in (health.router, jobs.router, streams.router, runs.router, page.router):
        app.include_router(router)
    errors.install(app)
    return Gate(app, access)
