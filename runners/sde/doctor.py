"""What `jobsd doctor` says about an SDE server."""

from __future__ import annotations

from collections.abc import Mapping

from config.definitions import Configuration, SdeServer
from runners.finding import Finding
from runners.sde.client import Client, Refused, Throttled
from runners.sde.diagnosis import Wanted, findings
from runners.sde.wire import Kind
from runners.web import Unreachable

_REACH = "look whether the server is up, at url and its port, at firewalls, and at ca and verify"
_TOKEN = "make a new token of that user in the server, and put it where ours is looked for"  # noqa: S105 - advice
_LOG = "look at the server's own log"

_REACHED = Finding("reachable", sound=True, text="it answers")


async def examine(name: str, configuration: Configuration, *, environ: Mapping[str, str]) -> list[Finding]:
    """Reach the SDE server of that name, see whose the token is, and hold its connections against our jobs.

    Ends at the first thing without which the rest means nothing. Nothing on the server is changed; `environ` is
    where the token may be.
    """
    server = configuration.servers[name]
    if not isinstance(server, SdeServer):
        raise TypeError(f"{name} is no SDE server")
    client = Client(server, folder=configuration.folder, environ=environ)
    try:
        return await _examine(client, Wanted.of(name, configuration))
    finally:
        await client.aclose()


async def _examine(client: Client, wanted: Wanted) -> list[Finding]:
    try:
        user = await client.me()
    except Refused as error:
        if error.status != 404:
            return [_REACHED, Finding("login", sound=False, text=f"the token is refused: {error}", advice=_TOKEN)]
        # A server that is older than that address; or none, of which the lists tell.
        known = [_REACHED]
    except Throttled as error:
        return [_REACHED, _untold("login", f"whose the token is cannot be told: {error}")]
    except Unreachable as error:
        return [Finding("reachable", sound=False, text=str(error), advice=_REACH)]
    else:
        known = [_REACHED, Finding("login", sound=True, text=f"its token is that of {user.email}")]
    for kind in wanted.kinds:
        known += await _kind(client, wanted, kind)
    return known


async def _kind(client: Client, wanted: Wanted, kind: Kind) -> list[Finding]:
    try:
        listing = await client.connections(kind)
    except Refused as error:
        text = f"{kind} connections may not be read: {error}"
        if not wanted.needs(kind):
            return []
        return [
            Finding("permission", sound=False, text=text, advice="give the token's user the right to see them")
        ]
    except (Throttled, Unreachable) as error:
        return [_untold("permission", f"whether {kind} connections may be read cannot be told: {error}")]
    return list(findings(wanted, kind, listing))


def _untold(what: str, text: str) -> Finding:
    return Finding(what, sound=False, text=text, advice=_LOG, warning=True)
