"""What the collectors share: the command line, the host's files below a root, and names of owners.

A collector reports facts and judges nothing. What it may not read becomes `{"unreadable": WHY}` in its data, so
that the run succeeds for any user and the evaluator can say `unknown`; only a collector that could do nothing at
all ends with an exit code other than 0.
"""

from __future__ import annotations

import argparse
import json
import pwd
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNREACHABLE = 75  # the exit code that says "try this asset again later"


class Host:
    """A file tree that is looked at: this host's own, or one below another root (an image, a chroot)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._names: dict[str, dict[int, str]] = {}

    @property
    def live(self) -> bool:
        """Whether this is the running host itself."""
        return self.root == Path("/")

    def path(self, name: str) -> Path:
        """Where the host's absolute path `name` is found."""
        return self.root / name.lstrip("/")

    def name(self, path: Path) -> str:
        """`path` as the host itself calls it."""
        return "/" + "/".join(path.relative_to(self.root).parts)

    def lines(self, name: str) -> list[str]:
        """The lines of a file. Raises OSError."""
        return self.path(name).read_text(encoding="utf-8", errors="replace").splitlines()

    def owner(self, uid: int) -> str:
        """The user's name by /etc/passwd (on the running host by a directory service too), or its number."""
        name = self._named("/etc/passwd", uid)
        if name.isdecimal() and self.live:
            try:
                name = self._names["/etc/passwd"][uid] = pwd.getpwuid(uid).pw_name
            except KeyError:
                self._names["/etc/passwd"][uid] = name  # asked once: a directory service may be slow
        return name

    def group(self, gid: int) -> str:
        """The group's name by /etc/group, or its number."""
        return self._named("/etc/group", gid)

    def facts(self, name: str) -> dict[str, Any]:
        """Kind, mode and owner of a path, links followed; `{"missing": True}` and `{"unreadable": WHY}` else."""
        try:
            found = self.path(name).stat()
        except (FileNotFoundError, NotADirectoryError):
            return {"path": name, "missing": True}
        except OSError as error:
            return {"path": name, **unreadable(error)}
        return {
            "path": name,
            "folder": stat.S_ISDIR(found.st_mode),
            "mode": f"{stat.S_IMODE(found.st_mode):04o}",
            "owner": self.owner(found.st_uid),
            "group": self.group(found.st_gid),
        }

    def _named(self, file: str, number: int) -> str:
        if file not in self._names:
            self._names[file] = dict(self._read_names(file))
        return self._names[file].get(number, str(number))

    def _read_names(self, file: str) -> Iterator[tuple[int, str]]:
        try:
            lines = self.lines(file)
        except OSError:
            return
        for line in reversed(lines):  # the first of several names for one number wins
            fields = line.split(":")
            if len(fields) > 2 and fields[2].isdecimal():
                yield int(fields[2]), fields[0]


def unreadable(error: OSError) -> dict[str, str]:
    """How an answer that this user could not get stands in the data."""
    return {"unreadable": error.strerror or str(error)}


def main(collect: Callable[[Host], dict[str, Any]]) -> None:
    """Run a collector: ASSET [--root DIR] on the command line, the asset as JSON on stdin, data on stdout."""
    parser = argparse.ArgumentParser(description=collect.__doc__)
    parser.add_argument("asset", help="the asset's id, for messages")
    parser.add_argument("--root", type=Path, default=Path("/"), help="look at the host below this folder")
    options = parser.parse_args()
    # jobsd also gives the asset on stdin; a terminal has none.
    asset = {} if sys.stdin.isatty() else json.loads(sys.stdin.read() or "{}")
    if not (options.root / "etc").is_dir():
        print(f"{options.asset}: there is no host below {options.root} (no etc folder)", file=sys.stderr)
        sys.exit(UNREACHABLE)
    host = Host(options.root.resolve())
    data = {"asset": asset.get("id", options.asset), "aspect": Path(sys.argv[0]).stem, **collect(host)}
    json.dump(data, sys.stdout, indent=1)
    print()
