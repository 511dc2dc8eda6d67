"""A crontab's jobs as jobsd's YAML. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from jobsd.cli.crontab import Comment, Entry, Untold
from jobsd.cli.yaml_out import printable, text

_HEAD = """\
# Made of {source} by `jobsd import crontab`: read it through, then `jobsd check` it.
# As under cron, what came due while nobody watched is left out, and runs of one job may overlap. Unlike there,
# commands start in an empty folder of their own instead of $HOME, and output is kept (`jobsd logs`), not mailed.
version: 1
settings:
  timezone: {zone}
defaults:
  overlap: allow
  catch_up: {{policy: none}}
"""
_PREPARING = frozenset({"cd", "test", "[", ".", "source", "export", "true", "sleep", "umask"})
_WRAPPERS = frozenset(
    {"nice", "ionice", "env", "sudo", "flock", "timeout", "chronic", "exec", "time", "nohup"}
    | {"sh", "bash", "dash", "zsh", "python", "python3", "perl", "ruby", "php", "node"}
)
_PLACEHOLDER = re.compile(r"\{(?:job|run_id|attempt|fire_time|folder)\}")
_HELD = "CRON_COMMAND"


def crontab_yaml(found: Iterable[Entry | Comment | Untold], *, source: str, zone: str) -> Iterator[str]:
    """The lines of a whole file; what has no counterpart stands in it as a comment."""
    yield from _HEAD.format(source=printable(source), zone=zone).splitlines()
    parts = list(found)
    taken: set[str] = set()
    yield "jobs:" if any(isinstance(part, Entry) for part in parts) else "jobs: []"
    for part in parts:
        if isinstance(part, Comment):
            yield f"  # {printable(part.text)}".rstrip().removesuffix("  #")
        elif isinstance(part, Untold):
            yield f"  # line {part.line}, not taken over, {printable(part.why)}:"
            yield f"  # {printable(part.text)}"
        else:
            yield from _job(part, _name(part.command, taken))


def _job(entry: Entry, name: str) -> Iterator[str]:
    around = entry.around
    yield f"  - name: {text(name) if name[0].isdigit() else name}"
    if entry.comments:
        yield f"    description: {text(' '.join(filter(None, entry.comments)))}"
    schedule = [f"cron: {text(entry.cron)}"]
    schedule += [f"timezone: {around.zone}"] if around.zone else []
    schedule += [f"spread: {around.delay}m"] if around.delay else []
    yield f"    schedule: {{{', '.join(schedule)}}}"
    yield "    run:"
    yield "      command:"
    env = dict(around.env)
    command = entry.command
    if _PLACEHOLDER.search(command):
        # In an argument {job} and the like would be replaced; in the environment they stay.
        env[_HELD], command = command, f'eval "${_HELD}"'
    yield f"        argv: [{text(around.shell)}, -c, {text(command)}]"
    if entry.stdin is not None:
        yield f"        stdin: {text(entry.stdin)}"
    if env:
        yield f"        env: {_mapping(env)}"
    if entry.user:
        yield f"        run_as: {text(entry.user)}"


def _name(command: str, taken: set[str]) -> str:
    """A job's name: what the command runs, made unique."""
    base = re.sub(r"[^a-z0-9._-]+", "-", PurePath(_program(command)).name.lower()).strip("-._") or "job"
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}-{count}"
    taken.add(name)
    return name


def _program(command: str) -> str:
    """The word that tells most about a command."""
    for part in re.split(r"&&|\|\||[;|]", command):
        words = _words(part)
        while words and re.match(r"[A-Za-z_]\w*=", words[0]):
            words.pop(0)
        if not words or words[0] in _PREPARING:
            continue
        for word in words:
            if " " in word:
                break
            plain = PurePath(word).name
            if plain not in _WRAPPERS and not word.startswith("-") and not word.isdigit():
                return plain
        return words[0]
    return command


def _words(part: str) -> list[str]:
    try:
        return shlex.split(part)
    except ValueError:
        return part.split()


def _mapping(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {text(value)}" for name, value in values.items()) + "}"
