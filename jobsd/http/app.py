"""The application: routes, errors, and the gate around them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from jobsd.http import ccs, deliveries, errors, health, jobs, journal, page, runs, sde, streams, why
from jobsd.http.access import Access
from jobsd.http.ccs.folding import Folded
from jobsd.http.ccs.logins import Logins
from jobsd.http.gate import MOST_BODY, Gate
from jobsd.http.hub import Hub
from jobsd.http.sde.schemas import document
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
    for router in (
        health.router,
        why.router,  # before the jobs': a name may have slashes
        jobs.router,
        streams.router,
        runs.router,
        deliveries.router,
        journal.router,
        page.router,
    ):
        app.include_router(router)
    errors.install(app)
    logins = Logins()
    face = ccs.build(service, logins)
    _describe(app, face.openapi, lambda: document(sde.ADDRESSES, sde.PREFIX))
    return Gate(app, access, {ccs.PREFIX: Folded(face), sde.PREFIX: sde.build(service, logins)})


def _describe(app: FastAPI, *faces: Callable[[], dict[str, Any]]) -> None:
    """Have the document of `app` tell of the faces too; each gives its own."""
    own = app.openapi

    def whole() -> dict[str, Any]:
        told = own()
        components = told.setdefault("components", {})
        for other in (face() for face in faces):
            told["paths"] |= other["paths"]
            for kind, values in other.get("components", {}).items():
                components[kind] = components.get(kind, {}) | values
        return told

    app.openapi = whole  # type: ignore[method-assign]
