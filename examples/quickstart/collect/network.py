#!/usr/bin/env python3
"""Collect the TCP and UDP ports on which this host listens, from /proc/net."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import TYPE_CHECKING, Any

from host import Host, main, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = {"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"}  # the state of a socket that waits for peers


def collect(host: Host) -> dict[str, Any]:
    """Listening sockets with address, port, user and (where this user may see it) the program."""
    sockets: list[dict[str, Any]] = []
    missing: dict[str, Any] = {}
    for table, waiting in TABLES.items():
        try:
            lines = host.lines(f"/proc/net/{table}")[1:]
        except FileNotFoundError:
            continue  # no IPv6 here
        except OSError as error:
            missing[table] = unreadable(error)
            continue
        sockets += [entry(host, table, line.split()) for line in lines if line.split()[3] == waiting]
    programs = dict(owners(host)) if sockets else {}
    for one in sockets:
        one["program"] = programs.get(one.pop("inode"))
    sockets.sort(key=lambda one: (one["protocol"], one["port"], one["address"]))
    return {"sockets": sockets, "missing": missing}


def entry(host: Host, table: str, fields: list[str]) -> dict[str, Any]:
    """One line of /proc/net/{tcp,udp}[6]."""
    hexadecimal, port = fields[1].split(":")
    return {
        "protocol": table.removesuffix("6"),
        "address": address(hexadecimal),
        "port": int(port, 16),
        "user": host.owner(int(fields[7])),
        "inode": fields[9],
    }


def address(hexadecimal: str) -> str:
    """The kernel writes an address as 32-bit words in the machine's own byte order."""
    raw = bytes.fromhex(hexadecimal)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    if len(raw) == 4:
        return socket.inet_ntop(socket.AF_INET, raw)
    mapped = ipaddress.IPv6Address(raw).ipv4_mapped
    return str(mapped) if mapped else socket.inet_ntop(socket.AF_INET6, raw)


def owners(host: Host) -> Iterator[tuple[str, str]]:
    """(inode, program) of the sockets of every process whose descriptors this user may see."""
    for process in host.path("/proc").glob("[0-9]*"):
        try:
            program = (process / "comm").read_text().strip()
            for descriptor in (process / "fd").iterdir():
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    yield target[8:-1], program
        except OSError:
            continue  # another user's, or it has ended


if __name__ == "__main__":
    main(collect)
