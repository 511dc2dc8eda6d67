"""Listening to a command: its secrets are taken out first, then its lines are written down and judged."""

from __future__ import annotations

from runners.local.output import Share
from runners.sde.masking import Masking
from runners.sde.verdict import Heard

_LINE = 16 * 1024
_HELD = 64


class Ear:
    """One stream of a command, a sink: written to its share of the log in whole lines, without secrets.

    A line that is too long is written in pieces, none of which cuts a secret in two.
    """

    def __init__(self, share: Share, masking: Masking) -> None:
        self.heard = Heard()
        self._share = share
        self._masking = masking
        self._partial = b""
        self._continued = False
        self._hold = max(masking.longest, _HELD)

    def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        whole, newline, self._partial = (self._partial + chunk).rpartition(b"\n")
        if newline:
            self._put(self._masking.raw(whole))
        if len(self._partial) > max(_LINE, 4 * self._hold):
            masked = self._masking.raw(self._partial)
            self.heard.take(masked, continued=self._continued)
            self._log(masked[: -self._hold])
            self._partial, self._continued = masked[-self._hold :], True

    def close(self) -> None:
        """Take a last line without an end."""
        if self._partial:
            self._put(self._masking.raw(self._partial))
            self._partial = b""

    def _put(self, lines: bytes) -> None:
        self.heard.take(lines, continued=self._continued)
        self._continued = False
        self._log(lines)

    def _log(self, lines: bytes) -> None:
        prefix = self._share.prefix
        self._share.write(prefix + lines.replace(b"\n", b"\n" + prefix) + b"\n")
