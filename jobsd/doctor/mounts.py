"""On what file system a path lies, and how much room there is."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(r"\\([0-7]{3})")

FAR = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "ocfs2"}
    | {"gfs2", "davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs"}
)
"""File systems on other machines, or shared with them: SQLite's locks and shared memory do not hold there."""

PASSING = frozenset({"tmpfs", "ramfs"})
"""File systems in memory."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is left for this user: bytes and inodes; None where the file system counts no inodes."""

    free_bytes: int
    free_inodes: int | None


def kind_of(path: Path) -> str:
    """The type of the file system that `path` lies on, such as ext4. Raises OSError."""
    found, length = "unknown", -1
    whole = path.resolve()
    for line in _MOUNTS.read_text().splitlines():
        before, _, after = line.partition(" - ")
        point = Path(_ESCAPE.sub(lambda m: chr(int(m[1], 8)), before.split()[4]))
        # of several mounts on one point the last is the one that is seen
        if whole.is_relative_to(point) and len(point.parts) >= length:
            found, length = after.split()[0], len(point.parts)
    return found


def room_in(path: Path) -> Room:
    """What is left on the file system of `path`. Raises OSError."""
    stats = os.statvfs(path)
    return Room(stats.f_bavail * stats.f_frsize, stats.f_favail if stats.f_files else None)
