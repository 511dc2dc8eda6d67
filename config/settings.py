"""The `settings:` block with its defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.containers import ListOf, MapOf
from config.inventory import SCOPE, Scope
from config.scalars import LEDGER, LISTEN, SPREAD, TIME, URL, Duration, Rate, Size
from config.secrets import Secret
from config.shapes import NAME, Integer, Text
from config.table import Complaint, Model, Table
from config.weekdays import WEEKDAY
from config.zone import ZONE
from recurrence.schedule import Weekday

_NOTHING = timedelta(0)


class Tls(Model):
    """Certificate and key of the listener."""

    certificate: Annotated[str, Text("a path", "the path of a PEM file")] = Field(
        description="PEM file of the certificate and its chain, from the YAML's folder."
    )
    key: Annotated[str, Text("a path", "the path of a PEM file")] = Field(
        description="PEM file of its key, from the YAML's folder."
    )


class Token(Model):
    """A token of the HTTP API."""

    NOUN: ClassVar[str] = "a token"

    name: Annotated[str, NAME] = Field(description="Who uses it; stands in the events.")
    token: Secret = Field(description="The token itself.")
    scope: Annotated[Scope, SCOPE] = Field(default=Scope.VIEW, description="view < control < admin.")


class Http(Model):
    """`settings.http`: the one listener; `listen` is HOST:PORT, port 0 takes a free one."""

    listen: Annotated[str, LISTEN] = Field(
        default="127.0.0.1:8642", description="HOST:PORT; port 0 takes a free one."
    )
    tls: Tls | None = Field(default=None, description="By default the listener speaks plain HTTP.")
    tokens: Annotated[tuple[Token, ...], ListOf(Table(Token), distinct_key="name")] = Field(
        default=(), description="Tokens of the API, besides the local user's own."
    )
    upload_limit: Annotated[int, Size(1024)] = Field(
        default=1024 * 1024 * 1024, description="Most bytes of one upload of a report file to the SDE face."
    )


class Smtp(Model):
    """The mail server for notifications."""

    host: Annotated[str, Text()] = Field(description="Name or address of the mail server.")
    port: Annotated[int, Integer(1, 65535)] = Field(
        default=587, description="Its port. On 465 the connection is TLS from its first byte, without STARTTLS."
    )
    starttls: bool = Field(
        default=True,
        description="Whether the connection is made secret by STARTTLS; without it no mail is sent then.",
    )
    ca: Annotated[str | None, Text("a path", "the path of a PEM file")] = Field(
        default=None, description="PEM file of the certificate authorities to trust; by default the system's."
    )
    verify: bool = Field(default=True, description="Whether the server's certificate is verified.")
    username: Annotated[str | None, Text()] = Field(default=None, description="Account; by default none.")
    password: Secret | None = Field(default=None, description="Its password.")
    sender: Annotated[str | None, Text()] = Field(default=None, description="From, where a mail names none.")

    def complaints(self) -> Iterator[Complaint]:
        """An account has both parts."""
        if (self.username is None) != (self.password is None):
            yield None, ("username", "password"), "username and password belong together; write both or neither"


class Retention(Model):
    """How long history is kept; None is for ever."""

    runs: Annotated[timedelta | None, Duration(low=timedelta(hours=1))] = Field(
        default=None, description="Age at which ended runs are deleted. Default: never."
    )
    output: Annotated[timedelta | None, Duration(low=timedelta(hours=1))] = Field(
        default=None,
        description="Age at which the output of ended runs and what was uploaded for them are deleted. "
        "Default: never.",
    )
    events: Annotated[timedelta | None, Duration(low=timedelta(hours=1))] = Field(
        default=None, description="Age at which events of no run are deleted. Default: as `runs`."
    )
    deliveries: Annotated[timedelta | None, Duration(low=timedelta(hours=1))] = Field(
        default=None, description="Age at which ended deliveries are deleted. Default: with their runs."
    )


class DaemonHeartbeat(Model):
    """`settings.heartbeat`: an address that is called as long as the daemon does its work."""

    NOUN: ClassVar[str] = "a heartbeat"
    ADDRESSES: ClassVar[frozenset[str]] = frozenset({"url"})

    url: Annotated[str, URL] = Field(description="Called with an empty POST; it may be a secret.", repr=False)
    every: Annotated[timedelta, Duration(low=timedelta(seconds=1))] = Field(
        default=timedelta(minutes=1), description="Time between two calls."
    )


class HourlyTime(Model):
    """When `frequency: hourly` fires."""

    minute: Annotated[int, Integer(0, 59)] = Field(default=7, description="Minute of every hour.")


class DailyTime(Model):
    """When `frequency: daily` fires."""

    at: Annotated[time, TIME] = Field(default=time(1, 26), description="Time of day.")


class WeeklyTime(Model):
    """When `frequency: weekly` fires."""

    on: Annotated[Weekday, WEEKDAY] = Field(default=Weekday.SATURDAY, description="Weekday.")
    at: Annotated[time, TIME] = Field(default=time(4, 33), description="Time of day.")


class MonthlyTime(Model):
    """When `frequency: monthly` fires."""

    day: Annotated[int, Integer(1, 31)] = Field(default=1, description="Day of the month.")
    at: Annotated[time, TIME] = Field(default=time(4, 26), description="Time of day.")


class FrequencyTimes(Model):
    """When the SDE frequencies fire."""

    hourly: HourlyTime = Field(default_factory=HourlyTime, description="When frequency: hourly fires.")
    daily: DailyTime = Field(default_factory=DailyTime, description="When frequency: daily fires.")
    weekly: WeeklyTime = Field(default_factory=WeeklyTime, description="When frequency: weekly fires.")
    monthly: MonthlyTime = Field(default_factory=MonthlyTime, description="When frequency: monthly fires.")
    spread: Annotated[timedelta, SPREAD] = Field(
        default=_NOTHING,
        description="Each job with a frequency is moved later by a fixed amount of its own below this; "
        "its own schedule.spread goes before.",
    )


class Settings(Model):
    """`settings:` with its defaults; `ledger` None is the state directory's `ledger.db`."""

    timezone: Annotated[str, ZONE] = Field(
        default="UTC", description="Zone of schedules that name none: an IANA or a Windows name."
    )
    ledger: Annotated[str | None, LEDGER] = Field(
        default=None, repr=False,
        description="sqlite:///PATH or postgresql://…; default: ledger.db in $STATE_DIRECTORY, else in ./.jobsd.",
    )  # fmt: skip
    executor: Literal["local", "procrastinate"] = Field(
        default="local", description="Where attempts run; procrastinate needs a PostgreSQL ledger."
    )
    max_running: Annotated[int, Integer(1, 10_000)] = Field(default=64, description="Attempts at the same time.")
    stop_timeout: Annotated[timedelta, Duration(low=_NOTHING)] = Field(
        default=timedelta(seconds=60), description="How long running attempts may finish when the daemon stops."
    )
    kill_after: Annotated[timedelta, Duration(low=_NOTHING)] = Field(
        default=timedelta(seconds=10), description="Between asking a process group to end (TERM) and KILL."
    )
    catch_up_rate: Annotated[float, Rate()] = Field(
        default=20.0, description="Most runs started per time to catch up what came due during downtime."
    )
    output_limit: Annotated[int, Size(1024)] = Field(
        default=64 * 1024 * 1024, description="Most output kept of one process; what is beyond is dropped."
    )
    limits: Annotated[Mapping[str, int], MapOf(NAME, Integer(1, 10_000))] = Field(
        default_factory=dict,
        description="Named concurrency groups: how many runs of jobs with that limit at once.",
    )
    weekday_codec: Literal["dotnet", "flags"] = Field(
        default="dotnet", description="How weekdays of CCS blocks are numbered: 0 Sunday … 6, or 1, 2, 4 … summed."
    )
    http: Http = Field(default_factory=Http, description="The listener of the API and the web page.")
    smtp: Smtp | None = Field(default=None, description="Mail server for notifications. Default: none.")
    heartbeat: DaemonHeartbeat | None = Field(
        default=None, description="Address that is called as long as the daemon does its work. Default: none."
    )
    encryption_key: Secret | None = Field(
        default=None,
        description="Encrypts the params of SDE connections in the ledger; without it none are taken.",
    )
    retention: Retention = Field(default_factory=Retention, description="How long history is kept.")
    frequencies: FrequencyTimes = Field(
        default_factory=FrequencyTimes, description="When the SDE frequencies fire, in the job's zone."
    )

    def complaints(self) -> Iterator[Complaint]:
        """The distributed executor needs the shared ledger."""
        if self.executor == "procrastinate" and not (self.ledger or "").startswith("postgres"):
            yield (
                "executor",
                ("executor", "ledger"),
                "procrastinate needs settings.ledger: postgresql://…; write it, or executor: local",
            )
