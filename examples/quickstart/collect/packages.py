#!/usr/bin/env python3
"""Collect pending package updates from what the package manager knows already: no network, no lock, no write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

from host import Host, main

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 20  # seconds
UPGRADABLE = re.compile(
    r"^(?P<name>[^/\s]+)/(?P<suites>\S+) (?P<new>\S+) \S+ \[upgradable from: (?P<old>[^\]]+)\]"
)
REBOOT = ("/run/reboot-required", "/var/run/reboot-required")  # left by the packages that need one
# What `apt-get update` touches even when nothing new came; a list's own time is the server's.
APT_STAMPS = ("/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists/partial", "/var/lib/apt/lists")


class Unanswered(Exception):
    """The package manager gave no usable answer; the text says why."""


def collect(host: Host) -> dict[str, Any]:
    """Pending updates, the age of the lists they were judged by, and whether a reboot is due."""
    reboot = next(
        (path for path in ("/run/reboot-required", "/var/run/reboot-required") if there(host, path)), None
    )
    data: dict[str, Any] = {"manager": None, "reboot_required": reboot}
    if there(host, "/var/lib/dpkg/status") and shutil.which("apt"):
        data |= {"manager": "apt", "refresh": "apt-get update", "lists_age_days": age(host, APT_STAMPS)}
        ask = apt
    elif host.live and shutil.which("dnf"):
        stamps = [host.name(path) for path in host.path("/var/cache/dnf").glob("*/repodata")]
        data |= {"manager": "dnf", "refresh": "dnf makecache", "lists_age_days": age(host, stamps)}
        ask = dnf
    else:
        return data
    try:
        return data | {"updates": ask(host)}
    except Unanswered as trouble:
        return data | {"unreadable": str(trouble)}


def there(host: Host, path: str) -> bool:
    """Whether the path exists and can be reached."""
    return os.access(host.path(path), os.F_OK)


def age(host: Host, stamps: Iterable[str]) -> float | None:
    """Days since the newest of these paths changed; None if there is none."""
    times = [host.path(stamp).stat().st_mtime for stamp in stamps if there(host, stamp)]
    return round(max(0.0, time.time() - max(times)) / 86400, 2) if times else None


def apt(host: Host) -> list[dict[str, Any]]:
    """Updates by apt's lists; a suite named …-security makes one a security update."""
    # Without its cache files apt writes nothing: they would be ours, and a sandboxed daemon may not write there.
    options = ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]
    if not host.live:
        options += ["-o", f"Dir={host.root}", "-o", f"Dir::State::status={host.root}/var/lib/dpkg/status"]
    text = answer(["apt", *options, "list", "--upgradable"], {0})
    matches = [match for line in text.splitlines() if (match := UPGRADABLE.match(line))]
    return [
        {
            "name": match["name"],
            "installed": match["old"],
            "available": match["new"],
            "security": any(suite.endswith("-security") for suite in match["suites"].split(",")),
        }
        for match in matches
    ]


def dnf(_: Host) -> list[dict[str, Any]]:
    """Updates by dnf's cache; exit code 100 says that there are some."""
    security = {update["name"] for update in dnf_updates("--security")}
    return [update | {"security": update["name"] in security} for update in dnf_updates()]


def dnf_updates(*options: str) -> list[dict[str, Any]]:
    """`NAME.ARCH  VERSION  REPOSITORY` a line, up to the section of obsoletes."""
    text = answer(["dnf", "--quiet", "--cacheonly", "check-update", *options], {0, 100})
    listed = text.partition("Obsoleting Packages")[0].splitlines()
    lines = [line.split() for line in listed if len(line.split()) == 3]
    return [{"name": name.rpartition(".")[0], "installed": None, "available": new} for name, new, _ in lines]


def answer(argv: list[str], good: set[int]) -> str:
    """What it prints, in plain English. Raises Unanswered."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            argv,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unanswered(f"{argv[0]} did not answer: {error}") from error
    if done.returncode not in good:
        raise Unanswered(f"{argv[0]} failed ({done.returncode}): {done.stderr.strip()[-300:]}")
    return done.stdout


if __name__ == "__main__":
    main(collect)
