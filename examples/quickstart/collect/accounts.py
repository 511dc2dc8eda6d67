#!/usr/bin/env python3
"""Collect the accounts of this host. Passwords are reported as a kind, never as a hash."""

from __future__ import annotations

from typing import Any

from host import Host, main, unreadable

METHODS = {"1": "md5", "2": "blowfish", "2a": "blowfish", "2b": "blowfish", "2y": "blowfish", "5": "sha256"}
METHODS |= {"6": "sha512", "7": "scrypt", "y": "yescrypt", "gy": "gost-yescrypt", "sm3": "sm3"}


def collect(host: Host) -> dict[str, Any]:
    """Accounts of /etc/passwd, what kind of password each has, and its home folder."""
    try:
        entries = [line.split(":") for line in host.lines("/etc/passwd") if line and not line.startswith("#")]
    except OSError as error:
        return unreadable(error)
    passwords, trouble = shadow(host)
    accounts = [
        account(host, fields, passwords, trouble)
        for fields in entries
        if len(fields) == 7 and fields[2].isdecimal()
    ]
    malformed = [fields[0] for fields in entries if len(fields) != 7 or not fields[2].isdecimal()]
    return {"accounts": accounts, "malformed": malformed, "shadow": trouble or "read"}


def shadow(host: Host) -> tuple[dict[str, str], dict[str, str]]:
    """The kind of password per name, and why /etc/shadow could not be read (empty when it could)."""
    try:
        entries = [line.split(":") for line in host.lines("/etc/shadow") if ":" in line]
    except FileNotFoundError:
        return {}, {}
    except OSError as error:
        return {}, unreadable(error)
    return {fields[0]: kind(fields[1]) for fields in entries}, {}


def kind(field: str) -> str:
    """`empty`, `locked`, or the method of the hash (`des` for the traditional 13 characters)."""
    if not field:
        return "empty"
    if field[0] in "!*":
        return "locked"
    if field.startswith("$"):
        return METHODS.get(field.split("$")[1], "unknown method")
    return "des" if len(field) == 13 or field.startswith("_") else "locked"


def account(host: Host, fields: list[str], passwords: dict[str, str], trouble: dict[str, str]) -> dict[str, Any]:
    """One line of /etc/passwd; `password` is None when it stands in a file that could not be read."""
    name, password, uid, _, _, home, shell = fields
    known = None if trouble else passwords.get(name, "locked")
    return {
        "name": name,
        "uid": int(uid),
        "password": known if password == "x" else kind(password),  # noqa: S105 - x: it stands in /etc/shadow
        "home": host.facts(home or "/"),
        "shell": shell or "/bin/sh",
    }


if __name__ == "__main__":
    main(collect)
