"""What jobs refer to: assets, collectors, commands, calendars, servers, users."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from yaml.nodes import MappingNode, Node

from config.containers import ListOf, MapOf
from config.faults import quoted
from config.passwords import PATTERN
from config.reading import BAD, Reading, Schema, Shape
from config.references import Ref, Tagged
from config.scalars import DATE, EMAIL, TIME, URL, Duration
from config.secrets import Secret
from config.shapes import Choice, Integer, Text, words
from config.table import Complaint, Model, Named, Table
from config.weekdays import WEEKDAYS
from recurrence.schedule import Weekday


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long a name, a NUL in it, no access
        return False


class _Argv(ListOf):
    """Program and arguments; a program given by a path should be there."""

    def __init__(self) -> None:
        super().__init__(Text("an argument", "text", empty=True), least=1)

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """A tuple of strings, or BAD."""
        argv = super().read(node, path, reading)
        if argv is BAD or not argv:
            return argv
        program: str = argv[0]
        if not program or "\0" in "".join(argv):
            return reading.fault(
                node, path, "the program or an argument cannot be passed on; write text without NUL"
            )
        if "/" in program and "{" not in program:
            file = reading.folder / program
            if not _is_file(file):
                reading.warn(node, path, f"{quoted(program)} is not a file now; a path is from the YAML's folder")
            elif not os.access(file, os.X_OK):
                reading.warn(node, path, f"{quoted(program)} is not executable now; run chmod +x on it")
        return argv


ARGV = _Argv()
ENV = MapOf(Text("a variable's name", "letters, digits and '_'", "[A-Za-z_][A-Za-z0-9_]*"),
            Text(empty=True))  # fmt: skip
EXIT_CODES = ListOf(Integer(0, 255), least=1)
ID = Text("an id", "letters, digits and _.:@-, beginning with a letter or digit", r"[A-Za-z0-9][\w.:@-]*")
PASSWORD_HASH = Text("a password hash", "what `jobsd hash-password` prints", PATTERN, secret=True)
ACCOUNT = Text("an account's name", "the name of a user of this host")


class Asset(Model):
    """An asset of a job: its id, and the type that chooses its collector."""

    NOUN: ClassVar[str] = "an asset"

    id: Annotated[str, ID] = Field(description="Id of the asset, unique within a run: a host's name.")
    type: Annotated[str, Ref("collector")] = Field(description="Asset type: the collector that collects it.")


class Collector(Model):
    """How assets of one type are collected, and how a standard is evaluated on what was collected."""

    NOUN: ClassVar[str] = "a collector"

    collect: Annotated[tuple[str, ...], ARGV] = Field(
        description="Program and arguments that print an asset's data; {asset.id} and {asset.type} are replaced."
    )
    evaluate: Annotated[tuple[str, ...] | None, ARGV] = Field(
        default=None,
        description="Program and arguments that judge the data on stdin by {standard} and print its results.",
    )
    run_as: Annotated[str | None, ACCOUNT] = Field(
        default=None, description="Account that both run as; by default the daemon's."
    )


class Command(Model):
    """A command that a remote definition may name."""

    NOUN: ClassVar[str] = "a command"

    argv: Annotated[tuple[str, ...], ARGV] = Field(description="Program and arguments; never a shell.")
    stdin: Literal["none", "ini", "ini-escaped", "json"] = Field(
        default="none",
        description="How the connection's params are written to standard input: an INI with % as it is, as sde.py "
        "reads it; an INI with %% for each %, for readers with interpolation; or one JSON object.",
    )
    env: Annotated[dict[str, str], ENV] = Field(default_factory=dict, description="Environment variables to add.")
    success: Annotated[tuple[int, ...], EXIT_CODES] = Field(
        default=(0,), description="Exit codes that mean success."
    )
    timeout: Annotated[timedelta | None, Duration()] = Field(
        default=timedelta(hours=2), description="After it the whole process group is ended."
    )
    run_as: Annotated[str | None, ACCOUNT] = Field(
        default=None, description="Account that it runs as; by default the daemon's."
    )


class SdeSystem(Model):
    """What runs for connections of one SDE system."""

    NOUN: ClassVar[str] = "an SDE system"

    name: Annotated[str | None, Text()] = Field(default=None, description="Its name; by default its id.")
    short_name: Annotated[str | None, Text()] = Field(
        default=None, description="A shorter one; by default the name."
    )
    command: Annotated[str, Ref("command")] = Field(description="Command that synchronizes such a connection.")
    test: Annotated[str | None, Ref("command")] = Field(
        default=None, description="Command of a test call; by default a TCP connect to the server in params."
    )
    file: Annotated[str | None, Ref("command")] = Field(
        default=None, description="Command of an imported file; by default `command`."
    )


class SdeProject(Model):
    """A project that the served SDE API knows."""

    NOUN: ClassVar[str] = "an SDE project"

    name: Annotated[str, Text()] = Field(description="Its name.")


class DateSpan(Model):
    """Whole civil days from `first` to `last`, both inclusive."""

    NOUN: ClassVar[str] = "a span of days"

    first: Annotated[date, DATE, Named("from")] = Field(description="First day.")
    last: Annotated[date, DATE, Named("to")] = Field(description="Last day, inclusive.")

    def complaints(self) -> Iterator[Complaint]:
        """The end may not lie before the beginning."""
        if self.last < self.first:
            yield "to", ("first", "last"), f"{self.last} lies before {self.first}; write a day on or after it"


class _DaySpan(Shape):
    """A date, or a span of days."""

    noun = "a date or a span of days"
    allowed = "YYYY-MM-DD or {from: YYYY-MM-DD, to: YYYY-MM-DD}"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """A DateSpan, or BAD."""
        if isinstance(node, MappingNode):
            return Table(DateSpan).read(node, path, reading)
        day = DATE.read(node, path, reading)
        return BAD if day is BAD else DateSpan(first=day, last=day)

    def schema(self, *, partial: bool) -> Schema:
        """Either."""
        return {"anyOf": [DATE.schema(partial=partial), Table(DateSpan).schema(partial=partial)]}


class WeekSpan(Model):
    """A span of each of some weekdays; one that ends at or before its beginning goes into the next day."""

    NOUN: ClassVar[str] = "a weekly span"

    on: Annotated[tuple[Weekday, ...], WEEKDAYS] = Field(description="A weekday, or several.")
    begin: Annotated[time, TIME, Named("from")] = Field(default=time(0), description="Begins at.")
    end: Annotated[time | None, TIME, Named("to")] = Field(
        default=None, description="Ends before; by default at the end of the day."
    )


class _IcsFile(Text):
    """The path of an iCalendar file that exists."""

    def __init__(self) -> None:
        super().__init__("a path", "the path of an iCalendar file, from the YAML's folder")

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The path as written, or BAD."""
        name = super().read(node, path, reading)
        if name is BAD or _is_file(reading.folder / name):
            return name
        return reading.fault(node, path, f"{quoted(name)} is not a file; write {self.allowed}")


_ICS = _IcsFile()


class Calendar(Model):
    """Times in which jobs that exclude this calendar do not fire."""

    NOUN: ClassVar[str] = "a calendar"

    dates: Annotated[tuple[DateSpan, ...], ListOf(_DaySpan())] = Field(
        default=(), description="Days, or spans of days."
    )
    weekly: Annotated[tuple[WeekSpan, ...], ListOf(Table(WeekSpan))] = Field(
        default=(), description="Spans of every week."
    )
    ics: Annotated[str | None, _ICS] = Field(
        default=None, description="An iCalendar file, from the YAML's folder; its events are excluded."
    )
    countries: Annotated[
        tuple[str, ...],
        ListOf(Text("a country", "its ISO 3166 code, such as DE or US-NY", "[A-Z]{2}(?:-[A-Z0-9]{1,3})?")),
    ] = Field(default=(), description="Countries whose public holidays are excluded.")

    def complaints(self) -> Iterator[Complaint]:
        """A calendar that excludes nothing is a mistake."""
        if not (self.dates or self.weekly or self.ics or self.countries):
            yield (
                None,
                ("dates", "weekly", "ics", "countries"),
                "the calendar excludes nothing; write dates, weekly, ics or countries",
            )


class _Server(Model):
    """What every counterpart has."""

    ca: Annotated[str | None, Text("a path", "the path of a PEM file")] = Field(
        default=None, description="PEM file of the certificate authorities to trust; by default the system's."
    )
    verify: bool = Field(default=True, description="Whether the server's certificate is verified.")
    timeout: Annotated[timedelta, Duration()] = Field(
        default=timedelta(seconds=30), description="Longest wait for one answer."
    )


class CcsServer(_Server):
    """A Control Compliance Suite application server."""

    NOUN: ClassVar[str] = "a CCS server"

    type: Literal["ccs"] = Field(description="ccs")
    url: Annotated[str, URL] = Field(
        description="Base address, such as https://ccs.example.com:12431.", repr=False
    )
    username: Annotated[str, Text()] = Field(description=r"Account, such as 'CORP\svc'.")
    password: Secret = Field(description="Its password.")
    password_encoding: Literal["plain", "base64"] = Field(
        default="plain", description="How the server wants the password."
    )


class SdeServer(_Server):
    """An SD Elements server."""

    NOUN: ClassVar[str] = "an SDE server"

    type: Literal["sde"] = Field(description="sde")
    url: Annotated[str, URL] = Field(description="Base address, such as https://acme.sdelements.com.", repr=False)
    token: Secret = Field(description="API token.")


Server = CcsServer | SdeServer
SERVER = Tagged("type", {"ccs": Table(CcsServer), "sde": Table(SdeServer)})


class Scope(StrEnum):
    """What a token or user may do: each contains the one before."""

    VIEW = "view"
    CONTROL = "control"
    ADMIN = "admin"


SCOPE = words("a scope", Scope)


class Permission(StrEnum):
    """What a user of the CCS and SDE faces may do there."""

    VIEW_STANDARDS = "view-standards"
    VIEW_ASSETS = "view-assets"
    MANAGE_JOBS = "manage-jobs"
    COLLECT_DATA = "collect-data"
    EVALUATE_STANDARDS = "evaluate-standards"
    VIEW_EVALUATION_RESULTS = "view-evaluation-results"
    VIEW_ALL_JOBS = "view-all-jobs"
    ACCESS_ASSET_SYSTEM = "access-asset-system"
    ACCESS_STANDARDS = "access-standards"
    EDIT_ALM_CONNECTIONS = "edit-alm-connections"
    EDIT_VERIFICATION_CONNECTIONS = "edit-verification-connections"
    EDIT_LDAP_CONNECTIONS = "edit-ldap-connections"


_FILLING = {"", "access", "folder", "the", "to"}


def _bare(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split("[^a-z]+", text.lower()) if word not in _FILLING)


class _PermissionWord(Choice):
    """A permission as it is listed, or in CCS's own words, as its console and pages have them: Manage jobs."""

    def parse(self, value: Any) -> Any:
        """The permission."""
        if isinstance(value, str) and value not in self.values and (words := _bare(value)):
            value = next((known for known in self.values if _bare(known) == words), value)
        return super().parse(value)


PERMISSION = _PermissionWord("a permission", {str(member): member for member in Permission})


class User(Model):
    """A person or script of the CCS, SDE and web faces."""

    NOUN: ClassVar[str] = "a user"

    name: Annotated[str, Text()] = Field(description=r"Login name, such as 'CORP\auditor'; case does not matter.")
    email: Annotated[str | None, EMAIL] = Field(default=None, description="Address that the SDE face shows.")
    password_hash: Annotated[str | None, PASSWORD_HASH] = Field(
        default=None,
        description="What `jobsd hash-password` prints; without one there is no login by password.",
        repr=False,
    )
    token: Secret | None = Field(default=None, description="API token of the SDE face.")
    scope: Annotated[Scope, SCOPE] = Field(default=Scope.VIEW, description="view < control < admin.")
    permissions: Annotated[tuple[Permission, ...], ListOf(PERMISSION, distinct=True)] = Field(
        default=(), description="What the user may do in the CCS and SDE faces."
    )
