"""What a child is given: an environment of allowed names only, a user, a fresh folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runners.api import AssetRef, Execution

_PASSED = ("PATH", "HOME", "LANG", "TZ", "USER", "LOGNAME")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this host, as a child runs under it."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


def account(name: str) -> Account | None:
    """The user called `name`, or None if this host has none."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, found.pw_uid, found.pw_gid, tuple(os.getgrouplist(name, found.pw_gid)), found.pw_dir)


def identity(execution: Execution, asset: AssetRef | None) -> dict[str, str]:
    """The names that say whose child it is; a child is found by them wherever it goes."""
    names = {"JOBSD_ATTEMPT": execution.token}
    if asset is not None:
        names |= {"JOBSD_ASSET": asset.id, "JOBSD_ASSET_TYPE": asset.type}
    return names


def marks(names: Mapping[str, str]) -> frozenset[bytes]:
    """`identity` as it stands in a process's environment."""
    return frozenset(os.fsencode(f"{name}={value}") for name, value in names.items())


def names(execution: Execution) -> dict[str, str]:
    """The names that tell a child what it works for."""
    return {"JOBSD_JOB": execution.job.name, "JOBSD_RUN_ID": execution.run_id}


def child_environment(extra: Mapping[str, str], owner: Account | None, folder: Path) -> dict[str, str]:
    """The whole environment of a child in `folder`: what is allowed to pass, its user's, then the definition's.

    Nothing else of the daemon's passes: not its credentials, its notify socket, its tokens.
    """
    passed = {name: value for name, value in os.environ.items() if name in _PASSED or name.startswith("LC_")}
    passed.setdefault("PATH", _PATH)
    if owner is not None:
        passed |= {"HOME": owner.home, "USER": owner.name, "LOGNAME": owner.name}
    return passed | {"TMPDIR": str(folder)} | dict(extra)


def folder_prefix(token: str) -> str:
    """How the names of an attempt's working folders begin; does not give the token away."""
    return f"jobsd-{hashlib.sha256(token.encode()).hexdigest()[:16]}-"


def make_folder(token: str, owner: Account | None) -> Path:
    """A fresh folder for one child, under TMPDIR, for nobody but `owner` (this user if None). Raises OSError."""
    folder = Path(tempfile.mkdtemp(prefix=folder_prefix(token)))
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)
    return folder


def remove_folder(folder: Path) -> None:
    """Remove it with all that is in it, folders that forbid it included; what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for inner, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(inner).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
