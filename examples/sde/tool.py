#!/usr/bin/env python3
"""Stands for SD Elements' own tool, sde.py, where there is none: reads what it reads, says what it says.

tool.py COMMAND, with an INI on standard input: section [global], a key for each param. As sde.py does, it ends
with exit code 0 and the line "Done - Success", or "Done - Failed: reason".
"""

from __future__ import annotations

import configparser
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

WAIT_S = 5
SERVERS = ("alm_server", "server", "url")
LDAP = 389
HTTPS = 443


def reach(params: Mapping[str, str], port: int) -> str:
    """Connect with the server that the params name; says that it was reached."""
    server = next((params[name] for name in SERVERS if params.get(name)), None)
    if server is None:
        raise ValueError(f"the params name no server ({', '.join(SERVERS)})")
    host, _, given = server.rpartition("://")[2].partition("/")[0].partition(":")
    try:
        with socket.create_connection((host, int(given or port)), WAIT_S):
            return f"{host} is reached"
    except OSError as error:
        raise OSError(f"{host} is not reached: {error.strerror or error}") from error


def sync_jira(params: Mapping[str, str]) -> str:
    """A tracker of tasks."""
    return reach(params, HTTPS)


def sync_ldap(params: Mapping[str, str]) -> str:
    """A directory of people."""
    return reach(params, LDAP)


def import_fortify(params: Mapping[str, str]) -> str:
    """A report file, whose path is a param."""
    if not params.get("file_upload"):
        raise ValueError("the params name no file (file_upload)")
    path = Path(params["file_upload"])
    return f"{path.name}: {path.stat().st_size} bytes imported"


COMMANDS: dict[str, Callable[[Mapping[str, str]], str]] = {
    "sync_jira": sync_jira,
    "sync_ldap": sync_ldap,
    "import_fortify": import_fortify,
}


def main(argv: list[str]) -> int:
    """Run one command; the params never stand in an argument."""
    if len(argv) != 2 or argv[1] not in COMMANDS:
        print(f"usage: {argv[0]} {'|'.join(COMMANDS)} < INI", file=sys.stderr)
        return 2
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(sys.stdin.read())
    try:
        print(COMMANDS[argv[1]](dict(parser["global"])))
    except (OSError, ValueError, KeyError) as error:
        print(f"Done - Failed: {error}")
    else:
        print("Done - Success")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
