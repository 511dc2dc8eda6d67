"""The web page: jobs and runs as plain HTML, nothing from elsewhere, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from jobsd.http import wording
from jobsd.http.health import readiness
from jobsd.http.parameters import ServiceOf
from jobsd.http.reading import Reader
from jobsd.views.shapes import AssetView, JobView, RunDetail, RunView
from scheduler.ledger import Connection, jobs

MOST_JOBS = 200
MOST_RUNS = 20
MOST_ASSETS = 500
"""What one page shows at the most; it says where the rest is."""

_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}

router = APIRouter(include_in_schema=False)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["style"] = _STYLE  # no escaping inside <style>: it is ours, and the policy knows its hash
    environment.filters.update(wall=wording.wall, utc=wording.utc, span=wording.span, apart=wording.apart)
    return environment


_TEMPLATES = _environment()


def render(template: str, values: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
    """A page."""
    text = _TEMPLATES.get_template(template).render(values)
    return HTMLResponse(text, status_code=status, headers=_HEADERS)


@router.get("/")
async def index(service: ServiceOf, after: str = "") -> HTMLResponse:
    """Jobs with their next and last runs and their coverage; active and recent runs."""
    reader = Reader.of(service)

    def operation(connection: Connection) -> tuple[list[JobView], list[RunView], list[RunView]]:
        found = reader.jobs(connection, after=after, limit=MOST_JOBS + 1, removed=False)
        active = reader.active(connection, limit=MOST_RUNS)
        recent = reader.list_runs(connection, job=None, states=(), since=None, before=None, limit=MOST_RUNS)
        return found, active, recent

    found, active, recent = await service.read(operation)
    values = {
        "jobs": found[:MOST_JOBS],
        "more": len(found) > MOST_JOBS,
        "active": active,
        "recent": recent,
        "zones": {job.job: job.timezone for job in found},
        "health": readiness(service),
        "now": reader.now,
        "started_at": service.started_at,
    }
    return render("index.html", values)


@router.get("/runs/{key}")
async def show(service: ServiceOf, key: str) -> HTMLResponse:
    """One run: attempts, assets with their reasons and results, journal."""
    reader = Reader.of(service)

    def operation(connection: Connection) -> tuple[RunDetail, str, list[AssetView]]:
        run = reader.run(connection, key)
        zone = reader.facts(connection, jobs.named(connection, run.job)).zone
        return run, zone, reader.assets(connection, run.run_id)

    run, zone, assets = await service.read(operation)
    values = {
        "run": run,
        "zone": zone,
        "assets": assets[:MOST_ASSETS],
        "hidden": max(len(assets) - MOST_ASSETS, 0),
        "health": readiness(service),
        "now": reader.now,
        "started_at": service.started_at,
    }
    return render("run.html", values)
