#!/usr/bin/env python3
"""Collect how file systems are mounted, and how full they are."""

from __future__ import annotations

import os
import re
from typing import Any

from host import Host, main, unreadable

# Only file systems on this host's own disks and memory: asking a network file system for its space can hang.
LOCAL = frozenset(["btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "vfat", "xfs", "zfs"])


def collect(host: Host) -> dict[str, Any]:
    """Mount points with type, options and, for local file systems, the share of space and inodes in use."""
    # Process 1 sees the host's mounts; a sandboxed daemon, and so this process, may see others. Only root may ask.
    try:
        lines = host.lines("/proc/1/mounts")
    except OSError:
        try:
            lines = host.lines("/proc/self/mounts")
        except OSError as error:
            return unreadable(error)
    return {"mounts": [mount(host, *line.split()[1:4]) for line in lines if len(line.split()) >= 4]}


def mount(host: Host, point: str, kind: str, options: str) -> dict[str, Any]:
    """One line of /proc/mounts; `space` and `inodes` are percentages in use, or None where there is no answer."""
    point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point)
    space = inodes = None
    if kind in LOCAL:
        try:
            state = os.statvfs(host.path(point))
        except OSError:
            pass  # a mount point of another user
        else:
            space = percentage(state.f_blocks - state.f_bfree, state.f_blocks - state.f_bfree + state.f_bavail)
            inodes = percentage(state.f_files - state.f_ffree, state.f_files)
    return {"point": point, "type": kind, "options": options.split(","), "space": space, "inodes": inodes}


def percentage(part: int, whole: int) -> int | None:
    """`part` of `whole` in percent, rounded down; None of nothing."""
    return 100 * part // whole if whole else None


if __name__ == "__main__":
    main(collect)
