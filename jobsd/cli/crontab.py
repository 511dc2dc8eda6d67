"""What a crontab says: jobs, and what has no counterpart here. Pure; crontab(5) of Debian's cron and of cronie."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from recurrence import resolve_zone
from recurrence.schedule import Cron

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
OF_CRON = frozenset({"MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING", "START_HOURS_RANGE"})
"""Names that speak to cron itself, not to commands."""

_VARIABLE = re.compile(r"""\s*(?:([A-Za-z_]\w*)|"([A-Za-z_]\w*)"|'([A-Za-z_]\w*)')\s*=\s*(.*?)\s*""", re.ASCII)
_PERCENT = re.compile(r"\\%|%")


@dataclass(frozen=True, slots=True)
class Around:
    """What the lines above set for those below."""

    env: Mapping[str, str] = field(default_factory=dict)
    shell: str = "/bin/sh"
    zone: str | None = None
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A job.

    Attributes:
        line: From 1.
        cron: Five fields.
        command: For the shell, as cron would hand it over.
        stdin: What follows the first bare %, or None.
        user: Of the user column, or None.
        around: Environment, shell, zone, and random delay in minutes in force at its line.
        comments: The lines of comment right above, without #.
    """

    line: int
    cron: str
    command: str
    stdin: str | None
    user: str | None
    around: Around
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that belongs to no job, without #; or an empty line."""

    text: str


@dataclass(frozen=True, slots=True)
class Untold:
    """A line without a counterpart, and why."""

    line: int
    text: str
    why: str


def read_crontab(text: str, *, system: bool) -> Iterator[Entry | Comment | Untold]:
    """The lines of a crontab in order; `system`: a user's name stands before each command."""
    around = Around()
    above: list[str] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if line.startswith("#") and not _is_entry(line, system=system):
            above.append(line.lstrip("#").strip())
            continue
        found: Entry | Comment | Untold | Around
        found = _line(number, line, around, system=system)
        if isinstance(found, Entry):
            found = replace(found, comments=tuple(above))
        else:
            yield from (Comment(comment) for comment in above)
        above = []
        if isinstance(found, Around):
            around = found
        else:
            yield found
    yield from (Comment(comment) for comment in above)


def _is_entry(comment: str, *, system: bool) -> bool:
    """Whether a comment is a job that somebody switched off: no description of the next one."""
    return isinstance(_line(0, comment.lstrip("#").strip(), Around(), system=system), Entry)


def _line(number: int, line: str, around: Around, *, system: bool) -> Entry | Comment | Untold | Around:
    if not line or line.startswith("#"):
        return Comment(line.lstrip("#").strip())
    if not line.isprintable() and not line.replace("\t", " ").isprintable():
        return Untold(number, line, "it is not UTF-8 text")
    variable = _VARIABLE.fullmatch(line)
    try:
        if variable is not None:
            return _set(around, variable[1] or variable[2] or variable[3], _unquoted(variable[4]))
        return _entry(number, line, around, system=system)
    except ValueError as error:
        return Untold(number, line, str(error))


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _set(around: Around, name: str, value: str) -> Around:
    """The surroundings below an assignment. Raises ValueError where it has no counterpart."""
    if name == "CRON_TZ":
        return replace(around, zone=resolve_zone(value))
    if name == "SHELL":
        return replace(around, shell=value)
    if name == "RANDOM_DELAY" and value.isascii() and value.isdigit():
        return replace(around, delay=int(value))
    if name == "MAILTO" and not value:
        return around
    if name in OF_CRON or name == "RANDOM_DELAY":
        told = (
            "output is kept, not mailed: `jobsd logs`; notify: mails outcomes" if "MAIL" in name else "cron's own"
        )
        raise ValueError(f"{name} has no counterpart ({told})")
    return replace(around, env={**around.env, name: value})


def _entry(number: int, line: str, around: Around, *, system: bool) -> Entry:
    """The job of a line. Raises ValueError where it has no counterpart."""
    line = line.removeprefix("-")  # cron of SUSE: do not log
    if line.startswith("@"):
        nickname, rest = _split(line, 1)
        if nickname not in NICKNAMES:
            what = (
                "boot time has no counterpart; a systemd unit has"
                if nickname == "@reboot"
                else "not a time known here"
            )
            raise ValueError(f"{nickname}: {what}")
        cron = NICKNAMES[nickname]
    else:
        cron, rest = _split(line, 5)
        Cron(cron)
    user = None
    if system:
        user, rest = _split(rest, 1)
        if ":" in user or "/" in user:
            raise ValueError(f"user {user!r}: a group or login class has no counterpart")
    if not rest:
        raise ValueError("there is no command")
    command, stdin = _halves(rest)
    return Entry(number, cron, command, stdin, user, around, ())


def _split(text: str, fields: int) -> tuple[str, str]:
    """The first `fields` words with single spaces between, and the rest as it stands."""
    parts = text.split(None, fields)
    if len(parts) < fields:
        raise ValueError("it is neither a time with a command nor NAME=value")
    return " ".join(parts[:fields]), parts[fields] if len(parts) > fields else ""


def _halves(text: str) -> tuple[str, str | None]:
    """Command and standard input: a bare % begins the input, further ones end its lines."""
    pieces = [""]
    last = 0
    for match in _PERCENT.finditer(text):
        pieces[-1] += text[last : match.start()]
        last = match.end()
        if match[0] == "%":
            pieces.append("")
        else:
            pieces[-1] += "%"
    pieces[-1] += text[last:]
    command = pieces[0].strip()
    return command, "\n".join(pieces[1:]) + "\n" if len(pieces) > 1 else None
