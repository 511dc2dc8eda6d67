"""What `jobsd doctor` says about a CCS server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config.definitions import CcsServer
from runners.ccs.client import Client
from runners.ccs.errors import CcsError, Denied, Unanswered
from runners.ccs.session import Session
from runners.finding import Finding

_NO_JOB = "a job that jobsd doctor looks for in vain"
_REACH = "look whether the server is up, at url and its port, at firewalls, and at ca and verify"


_REACHED = Finding("reachable", sound=True, text="it answers")


async def examine(server: CcsServer, *, folder: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Reach `server`, log in, and look whether jobs may be read; ends at the first thing that does not work.

    `folder` is the YAML's, `environ` where the password may be. Nothing on the server is changed.
    """
    session = Session(server, folder=folder, environ=environ)
    try:
        return await _examine(session, server)
    finally:
        await session.aclose()


async def _examine(session: Session, server: CcsServer) -> list[Finding]:
    try:
        await session.log_in()
    except Unanswered as error:
        return [Finding("reachable", sound=False, text=str(error), advice=_REACH)]
    except Denied as error:
        encodings = "the password, password_encoding (plain or base64)"
        advice = f"look at username, {encodings}, and whether the account is locked"
        return [_REACHED, Finding("login", sound=False, text=str(error), advice=advice)]
    known = [_REACHED, Finding("login", sound=True, text=f"{server.username} has logged in")]
    try:
        await Client(session).named(_NO_JOB)
    except Denied as error:
        advice = "give the account the rights to view all jobs, standards and assets"
        return [*known, Finding("permission", sound=False, text=str(error), advice=advice)]
    except CcsError as error:
        text = f"whether it may read jobs cannot be told: {error}"
        advice = "look at the server's own log"
        return [*known, Finding("permission", sound=False, text=text, advice=advice, warning=True)]
    return [*known, Finding("permission", sound=True, text="it may read jobs")]
