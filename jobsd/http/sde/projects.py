"""Projects: those of the configuration, or, without any there, whatever connections name."""

from __future__ import annotations

from starlette.responses import Response

from config.definitions import Configuration
from jobsd.http.sde.errors import Answer, Turned
from jobsd.http.sde.routes import Address, Call
from runners.sde.wire import NOT_FOUND, Project, is_number, paged, parse_paging
from scheduler.ledger import Connection, sde_connections


def exists(configuration: Configuration, project: int) -> bool:
    """Whether there is such a project."""
    known = configuration.sde_projects
    return str(project) in known if known else is_number(project)


def shown(configuration: Configuration, project: int) -> Project:
    """A project that exists."""
    known = configuration.sde_projects.get(str(project))
    return Project(project, f"Project {project}" if known is None else known.name)


async def listing(call: Call) -> Response:
    """All that are known, by id."""
    configuration = call.service.configuration

    def every(connection: Connection) -> list[int]:
        return sorted(map(int, configuration.sde_projects)) or sde_connections.projects(connection)

    found = [shown(configuration, project).wire() for project in await call.service.read(every)]
    return Answer(paged(found, parse_paging(call.query), call.url))


async def single(call: Call) -> Response:
    """One."""
    if not exists(call.service.configuration, call.id):
        raise Turned(NOT_FOUND)
    return Answer(shown(call.service.configuration, call.id).wire())


ADDRESSES = (
    Address("projects", "Project List", {"GET": listing}),
    Address("projects/{key}", "Project Instance", {"GET": single}),
)
