#!/usr/bin/env python3
"""Collect modes and owners of sensitive files, and what under /etc everybody may write or nobody owns."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from host import Host, main

SENSITIVE = (
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssh/sshd_config",
    "/etc/crontab",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/ld.so.preload",
    "/etc/ssl/private",
    "/boot/grub/grub.cfg",
    "/root",
)
LISTED = 100  # paths of one kind in the data; more are only counted


def collect(host: Host) -> dict[str, Any]:
    """Modes and owners of sensitive files, and a walk over /etc."""
    keys = sorted(host.name(path) for path in host.path("/etc/ssh").glob("ssh_host_*_key"))
    return {"sensitive": [host.facts(path) for path in (*SENSITIVE, *keys)], "etc": walk(host, "/etc")}


def walk(host: Host, top: str) -> dict[str, Any]:
    """Count what is below `top`, and list what is world-writable, ownerless, or could not be looked into."""
    found: dict[str, list[str]] = {"world_writable": [], "ownerless": [], "unreadable": []}
    seen = 0

    def refused(error: OSError) -> None:
        found["unreadable"].append(host.name(Path(str(error.filename))))

    for folder, folders, files in os.walk(host.path(top), onerror=refused):
        for name in (*folders, *files):
            path = Path(folder, name)
            try:
                state = path.lstat()
            except OSError:
                continue  # gone in the meantime
            seen += 1
            # A folder with the sticky bit, such as /tmp, may be open: nobody can touch another's files there.
            sticky = stat.S_ISDIR(state.st_mode) and state.st_mode & stat.S_ISVTX
            if state.st_mode & stat.S_IWOTH and not stat.S_ISLNK(state.st_mode) and not sticky:
                found["world_writable"].append(host.name(path))
            if host.owner(state.st_uid).isdecimal():
                found["ownerless"].append(f"{host.name(path)} ({state.st_uid})")
    return {
        "seen": seen,
        **{kind: sorted(paths)[:LISTED] for kind, paths in found.items()},
        "counts": {kind: len(paths) for kind, paths in found.items()},
    }


if __name__ == "__main__":
    main(collect)
