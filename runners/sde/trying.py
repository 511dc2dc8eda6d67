"""Trying out what a connection connects with: its system's test command, or whether its server can be reached."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from config.definitions import Command, Configuration
from runners.api import Clock
from runners.local import process
from runners.local.ending import Cause, Ending
from runners.local.words import filled
from runners.sde.masking import Masking
from runners.sde.params import BadParamsError, stdin_text
from runners.sde.systems import Systems
from runners.sde.verdict import Heard, judge, shortened
from runners.sde.wire import Kind, Trial, TrialResult, WireFault, WireFaults

COMMAND_S = 30.0
"""Seconds that a test command may take; less where its own limit is less."""

CONNECT_S = 10.0
"""Seconds in which a server must take a connection."""

MOST_OUTPUT = 64 * 1024
"""Bytes of a test command's output that are looked at: the last ones of each stream."""

_PORTS = {"http": 80, "https": 443, "ldap": 389, "ldaps": 636}
_METHOD = {Kind.ALM: "https", Kind.ANALYSIS: "https", Kind.LDAP: "ldap"}


@dataclass(slots=True)
class _Tail:
    """The end of what a stream said; a first line that is cut is left out, for it might be half a secret."""

    text: bytearray = field(default_factory=bytearray)

    def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        self.text += chunk
        if len(self.text) > 2 * MOST_OUTPUT:
            del self.text[:-MOST_OUTPUT]
            cut = self.text.find(b"\n")
            del self.text[: len(self.text) if cut < 0 else cut + 1]

    def heard(self, masking: Masking) -> Heard:
        """What of it matters, without secrets."""
        heard = Heard()
        heard.take(masking.raw(bytes(self.text)))
        return heard


def test_command(trial: Trial, configuration: Configuration) -> Command | None:
    """The command that tests this system; None where it has none."""
    entry = Systems.of(configuration).entry(trial.system)
    return None if entry is None or entry.test is None else configuration.commands[entry.test]


async def run_test(
    trial: Trial, kind: Kind, command: Command, configuration: Configuration, clock: Clock
) -> TrialResult:
    """Run a test command with the trial's params; belongs to the loop of the runners. Answers without secrets."""
    try:
        stdin = stdin_text(trial.params, command.stdin)
    except BadParamsError as error:
        return TrialResult(success=False, message=str(error))
    masking, out, err, ending = Masking(trial.params), _Tail(), _Tail(), Ending()
    limit = min(COMMAND_S, COMMAND_S if command.timeout is None else command.timeout.total_seconds())
    over = asyncio.get_running_loop().call_later(limit, ending.request, Cause.TIMEOUT)
    patience = process.Patience(clock, min(configuration.settings.kill_after, timedelta(seconds=CONNECT_S)))
    try:
        program = _program(kind, command, configuration, stdin)
        ended = await process.run(program, stdout=out, stderr=err, ending=ending, patience=patience)
    finally:
        over.cancel()
    if isinstance(ended, process.NotStarted):
        return TrialResult(success=False, message=shortened(ended.reason))
    if ended.cause is not None:
        return TrialResult(success=False, message=f"The test did not end within {limit:g} seconds.")
    verdict = judge(ended.code, command.success, out.heard(masking), err.heard(masking))
    return TrialResult(verdict.succeeded, shortened(masking.text(verdict.message)))


async def reach(trial: Trial, kind: Kind) -> TrialResult:
    """Whether the server that the params name takes a TCP connection. Raises WireFaults where they name none."""
    host, port = server_of(trial.params, kind)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return TrialResult(success=False, message=f"{where} did not answer within {CONNECT_S:g} seconds.")
    except (OSError, UnicodeError) as error:
        return TrialResult(success=False, message=f"{where} cannot be reached: {_words(error)}.")
    writer.close()
    return TrialResult(success=True)


def server_of(params: Mapping[str, Any], kind: Kind) -> tuple[str, int]:
    """Host and port of the server: `HOST`, `HOST:PORT` or an address, the port else by the method in the params.

    Raises:
        WireFaults: There is none, or it is not one.
    """
    name, method = f"{kind}_server", str(params.get(f"{kind}_method") or _METHOD[kind]).strip().lower()
    written = params.get(name)
    if not isinstance(written, str) or not written.strip():
        raise _fault(name, "This field is required.")
    text = written.strip()
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _fault(name, "Enter a valid server.") from None
    default = _PORTS.get(parts.scheme.lower() or method, _PORTS.get(method, _PORTS[_METHOD[kind]]))
    if not host:
        raise _fault(name, "Enter a valid server.")
    return host, port or default


def _fault(name: str, text: str) -> WireFaults:
    return WireFaults([WireFault(("params", name), text)])


def _words(error: OSError | UnicodeError) -> str:
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(getattr(error, "strerror", None) or "the name cannot be resolved")


def _program(kind: Kind, command: Command, configuration: Configuration, stdin: bytes) -> process.Program:
    token = secrets.token_urlsafe(16)
    identity = {"JOBSD_ATTEMPT": token}
    values = {"connection": "", "kind": str(kind), "folder": str(configuration.folder), "job": "", "run_id": ""}
    return process.Program(
        argv=filled(command.argv, values, configuration.folder),
        token=token,
        environment={**command.env, **identity},
        identity=identity,
        stdin=stdin,
        run_as=command.run_as,
    )
