"""The parameters of a list's query: filters, expand, include. Of a parameter that is repeated the last counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from runners.sde.wire import texts
from runners.sde.wire.connections import Connection
from runners.sde.wire.faults import WireFault, WireFaults
from runners.sde.wire.jobs import EXPANDABLE, Job
from runners.sde.wire.people import email_of

Query = Iterable[tuple[str, str]]
"""Names and values, decoded, in their order."""

INCLUDABLE = frozenset({"last_job"})
"""What `include` may name, on connections."""

_FLAGS = {"true": True, "True": True, "false": False, "False": False}
_MOST = Decimal(10) ** 50


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs are wanted: those that meet all that is not None.

    Attributes:
        connection: Id of their connection.
        user: E-mail of who ran them, exactly.
    """

    automatic: bool | None = None
    connection: int | None = None
    ready: bool | None = None
    succeeded: bool | None = None
    user: str | None = None

    def matches(self, job: Job) -> bool:
        """Whether it is wanted."""
        wanted = (
            (self.automatic, job.course.automatic),
            (self.connection, job.connection.id),
            (self.ready, job.course.ready),
            (self.succeeded, job.course.succeeded),
            (self.user, email_of(job.user)),
        )
        return all(want is None or want == has for want, has in wanted)

    def wire(self) -> dict[str, str]:
        """The parameters that ask for it."""
        flags = {"automatic": self.automatic, "ready": self.ready, "succeeded": self.succeeded}
        texts_ = {"connection": None if self.connection is None else str(self.connection), "user": self.user}
        found = {name: None if flag is None else str(flag).lower() for name, flag in flags.items()} | texts_
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFilter:
    """Which connections are wanted; there is no filter by frequency or by inaccessible.

    Attributes:
        project: Id of their project.
    """

    project: int | None = None

    def matches(self, connection: Connection) -> bool:
        """Whether it is wanted."""
        return self.project is None or self.project == connection.project

    def wire(self) -> dict[str, str]:
        """The parameters that ask for it."""
        return {} if self.project is None else {"project": str(self.project)}


def parse_job_filter(query: Query) -> JobFilter:
    """The filter of a list of jobs. A flag that is none of `true True false False` filters nothing.

    Raises:
        WireFaults: The connection is no number, or the user has a NUL.
    """
    given, faults = dict(query), list[WireFault]()
    connection, user = _number(given, "connection", faults), given.get("user", "").strip()
    if "\0" in user:
        faults.append(WireFault(("user",), texts.NULL_CHARACTERS))
    if faults:
        raise WireFaults(faults)
    automatic, ready, succeeded = (_FLAGS.get(given.get(name, "")) for name in ("automatic", "ready", "succeeded"))
    return JobFilter(
        automatic=automatic, connection=connection, ready=ready, succeeded=succeeded, user=user or None
    )


def parse_connection_filter(query: Query) -> ConnectionFilter:
    """The filter of a list of connections.

    Raises:
        WireFaults: The project is no number.
    """
    faults: list[WireFault] = []
    project = _number(dict(query), "project", faults)
    if faults:
        raise WireFaults(faults)
    return ConnectionFilter(project=project)


def parse_expand(query: Query) -> frozenset[str]:
    """What jobs are to show whole; names that are not known are ignored."""
    return _names(query, "expand") & EXPANDABLE


def parse_include(query: Query) -> frozenset[str]:
    """What connections are to show beside their own; names that are not known are ignored."""
    return _names(query, "include") & INCLUDABLE


def _names(query: Query, parameter: str) -> frozenset[str]:
    return frozenset(part.strip() for part in dict(query).get(parameter, "").split(","))


def _number(given: dict[str, str], name: str, faults: list[WireFault]) -> int | None:
    """A number as forms of the framework read it: with blanks, a fraction that is dropped, or an exponent."""
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        faults.append(WireFault((name,), texts.NOT_A_NUMBER))
    elif number > _MOST:
        faults.append(WireFault((name,), texts.TOO_LARGE_A_NUMBER))
    else:
        return int(max(number, -_MOST))
    return None
