"""Where the daemon is, the token for it, and whose certificate is taken for its own.

Order: --url, $JOBSD_URL, then the folders $STATE_DIRECTORY, ./.jobsd, /var/lib/jobsd, in which a daemon leaves its
address, a control token for its own user, and its certificate.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jobsd.cli.files import Failed
from jobsd.state import CERTIFICATE

HERE = Path(".jobsd")
SYSTEM = Path("/var/lib/jobsd")
START = "start one with `jobsd run -c FILE`, or say where it is with --url"


@dataclass(frozen=True, slots=True)
class Place:
    """A daemon's address.

    Attributes:
        source: What named it, for messages.
        no_token: Why there is no token, for messages; empty if there is one.
        authorities: A PEM file of the certificates to trust; None trusts whom the host trusts.
        certificate: A PEM file of the daemon's very certificate; counts only without `authorities`.
    """

    url: str
    token: str | None
    source: str
    no_token: str = ""
    authorities: Path | None = None
    certificate: Path | None = None


def find(url: str | None, environ: Mapping[str, str], authorities: str | None = None) -> Place:
    """Where to call; `authorities` as --ca gives it. Raises Failed, naming every place looked at."""
    place = _find(url, environ)
    given = authorities or environ.get("JOBSD_CA")
    return replace(place, authorities=Path(given)) if given else place


def _find(url: str | None, environ: Mapping[str, str]) -> Place:
    written = environ.get("JOBSD_TOKEN") or None
    for given, source in ((url, "--url"), (environ.get("JOBSD_URL"), "$JOBSD_URL")):
        if given:
            address = given.rstrip("/") if "://" in given else f"http://{given.rstrip('/')}"
            return _with_token(address, source, written, _folders_of(address, environ))
    looked = ["$JOBSD_URL (not set)"]
    for name, folder in folders(environ):
        fault = _fault(folder)
        if not fault:
            address = (folder / "url").read_text().strip()
            return _with_token(address, str(folder / "url"), written, [folder])
        looked.append(f"{name} ({fault})")
    if not environ.get("STATE_DIRECTORY"):
        looked.insert(1, "$STATE_DIRECTORY (not set)")
    raise Failed(f"no daemon found; looked at {', '.join(looked)}: {START}")


def folders(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """The state folders to look at, in their order, each with its name in messages."""
    state = environ.get("STATE_DIRECTORY", "").split(":")[0]
    if state:
        yield f"$STATE_DIRECTORY, {state}", Path(state)
    yield "./.jobsd", HERE
    yield str(SYSTEM), SYSTEM


def _fault(folder: Path) -> str:
    """Why there is no address in `folder`; empty if there is one."""
    file = folder / "url"
    try:
        owner = file.stat().st_uid
        file.read_text()
    except FileNotFoundError:
        return "no daemon there"
    except OSError as error:
        return f"{error.strerror}".lower()
    # Whoever can plant a folder where somebody works must not get that person's token.
    if folder == HERE and owner not in (0, os.getuid()):
        return "belongs to another user, so not trusted"
    return ""


def _folders_of(url: str, environ: Mapping[str, str]) -> list[Path]:
    """The folders whose daemon has this very address: only there its token may be sent."""
    return [f for _, f in folders(environ) if not _fault(f) and (f / "url").read_text().strip() == url]


def _with_token(url: str, source: str, written: str | None, folders: list[Path]) -> Place:
    certificate = next(iter(folders), HERE) / CERTIFICATE
    place = Place(url, written, source, certificate=certificate if folders and certificate.exists() else None)
    if written:
        return place
    for folder in folders:
        try:
            return replace(place, token=(folder / "token").read_text().strip())
        except OSError as error:
            return replace(place, no_token=f"{folder / 'token'}: {error.strerror}")
    unset = "$JOBSD_TOKEN is not set"
    return replace(place, no_token=unset)
