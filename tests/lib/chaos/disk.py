"""A disk of a few megabytes, which can be full: mode bits mean nothing to root."""

import contextlib
import subprocess
from pathlib import Path


class NoMountError(Exception):
    """This machine lets us mount nothing."""


class Disk:
    """A small tmpfs at `folder`."""

    def __init__(self, folder, *, megabytes):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        argv = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(self.folder)]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            raise NoMountError(done.stderr.strip())

    @property
    def _filler(self):
        return self.folder / "filler"

    def fill(self):
        """Leave no room at all."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self):
        """Give the room back."""
        self._filler.unlink(missing_ok=True)

    def close(self):
        """Unmount it."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)
