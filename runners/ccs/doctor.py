"""What `jobsd doctor` says about a CCS server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.definitions import CcsServer


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        what: Its stable name: `reachable`, `certificate`, `login`, `permission`.
        sound: Whether it is as it should be.
        text: What was found, for an operator; no credential is in it.
        advice: What to do about it; empty where nothing is to be done.
        warning: It is not sound, and jobs run all the same.
    """

    what: str
    sound: bool
    text: str
    advice: str = ""
    warning: bool = False


async def examine(server: CcsServer, *, folder: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Reach `server`, log in, and look whether jobs may be read; ends at the first thing that does not work.

    `folder` is the YAML's, `environ` where the password may be. Nothing on the server is changed.
    """
    raise NotImplementedError
