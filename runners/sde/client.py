"""The calls of the SDE API. Each raises Refused, Throttled, or web.Unreachable (of which NotSent is certain)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from config.definitions import SdeServer
from runners.multipart import FilePart, Form
from runners.sde import lists
from runners.sde.errors import Refused, Throttled, Unanswered
from runners.sde.outcomes import is_import_of
from runners.sde.session import Session
from runners.sde.wire import (
    FILE_FIELD,
    Connection,
    FileImport,
    InitiateJob,
    Job,
    Kind,
    Listing,
    Paths,
    PostResult,
    User,
    WireError,
    parse_connection,
    parse_job,
    parse_user,
)

__all__ = ["Client", "Refused", "Throttled", "Unanswered"]

T = TypeVar("T")
_PATHS = Paths()


class Client:
    """One server's jobs and connections."""

    def __init__(self, server: SdeServer, *, folder: Path, environ: Mapping[str, str]) -> None:
        """Nothing is sent yet; a relative `ca` is from `folder`, the token is looked for in `environ`."""
        self._session = Session(server, folder=folder, environ=environ)

    @property
    def host(self) -> str:
        """Host and port of the server: what ids are unique for."""
        return self._session.host

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.aclose()

    async def initiate(self, kind: Kind, connection: int) -> Job:
        """The new job of the connection; it may be ready already."""
        request = InitiateJob(connection=connection, automatic=True)
        return await self._posted(kind, connection, request)

    async def post_result(self, kind: Kind, connection: int, *, succeeded: bool, message: str) -> Job:
        """The new job that holds this result of a run of the connection; blanks around `message` are not sent."""
        request = PostResult(
            connection=connection, automatic=True, succeeded=succeeded, result_message=message.strip()
        )
        return await self._posted(kind, connection, request)

    async def upload(self, wanted: FileImport, file: FilePart) -> Job:
        """The new analysis job that imports `file`, which is sent bit by bit."""
        form = Form(wanted.wire(), FILE_FIELD, file)
        return _read(await self._session.post(_PATHS.file_imports(), body=form), parse_job)

    async def job(self, kind: Kind, job_id: int) -> Job:
        """A job as it is now. Refused with 404 where there is none."""
        job = _read(await self._session.get(_PATHS.jobs(kind, job_id)), parse_job)
        if job.id != job_id:
            raise Unanswered(f"asked for job {job_id}, it answers with job {job.id}")
        return job

    async def jobs_of(self, kind: Kind, connection: int, *, after: int = 0) -> tuple[Job, ...]:
        """The connection's jobs whose ids are greater than `after`, the newest first.

        Raises:
            Unanswered: One of them cannot be read, too.
        """
        query = [("connection", str(connection))]
        found = self._readable(await lists.jobs_after(self._session.get, _PATHS.jobs(kind), query, after))
        return tuple(job for job in found if job.connection.id == connection)

    async def newest_job_id(self, kind: Kind, connection: int | None = None) -> int | None:
        """The greatest id of the connection's jobs, or of all jobs of that kind; None where there is none."""
        query = [] if connection is None else [("connection", str(connection))]
        return await lists.newest_id(self._session.get, _PATHS.jobs(kind), query)

    async def imports_of(self, wanted: FileImport, *, after: int) -> tuple[Job, ...]:
        """Jobs with ids greater than `after` that import a file of that name there, the newest first."""
        path = _PATHS.jobs(Kind.ANALYSIS)
        found = self._readable(await lists.jobs_after(self._session.get, path, (), after))
        return tuple(job for job in found if is_import_of(job, wanted))

    async def connections(self, kind: Kind) -> Listing[Connection]:
        """All connections of the kind with their last jobs; its `faults` tell of those that cannot be read."""
        query = [("include", "last_job")]
        return await lists.whole(self._session.get, _PATHS.connections(kind), query, parse_connection)

    async def me(self) -> User:
        """The user whose token is sent."""
        return _read(await self._session.get(_PATHS.me()), parse_user)

    async def _posted(self, kind: Kind, connection: int, request: InitiateJob | PostResult) -> Job:
        job = _read(await self._session.post(_PATHS.jobs(kind), request.wire()), parse_job)
        if job.connection.id != connection:
            raise Unanswered(f"it answers with a job of connection {job.connection.id}")
        return job

    @staticmethod
    def _readable(found: tuple[lists.Listed, ...]) -> tuple[Job, ...]:
        """All of them: what cannot be read may be what is looked for."""
        for one in found:
            if isinstance(one, lists.Unread):
                raise Unanswered(f"job {one.id} cannot be read: {one.reason}")
        return tuple(one for one in found if isinstance(one, Job))


def _read(value: object, parse: Callable[[object], T]) -> T:
    """The value of an answer; one that cannot be read is none."""
    try:
        return parse(value)
    except WireError as error:
        raise Unanswered(f"the answer cannot be read: {error}") from None
