"""Talking to systemd: sd_notify(3), without a library because it is one datagram."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Sends state to the service manager; silent where there is none.

    `watchdog_s` is the period within which WATCHDOG=1 is expected, in seconds, or None.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        usec = environ.get("WATCHDOG_USEC")
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(usec) / 1_000_000 if usec and usec.isdigit() and mine else None

    def ready(self, status: str) -> None:
        """The ledger is open and all jobs are armed (also: a reload is through)."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """The configuration is being read anew."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """No run starts any more."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """The scheduling loop moves."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            try:
                channel.sendto(message.encode(), self._address)
            except OSError:
                return  # the manager is gone: nothing to tell
