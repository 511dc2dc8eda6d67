"""Judge files: modes and owners of sensitive ones, and what everybody may write under /etc."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

from .verdict import AS_ROOT, Verdict, count, failed, listed, not_applicable, passed, unknown


def mode(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """Every path of `paths` (wildcards allowed) has no bit beyond `mode`, and an owner and group of the lists."""
    files = [file for file in data["sensitive"] if any(fnmatch(file["path"], path) for path in rule["paths"])]
    present = [file for file in files if not file.get("missing")]
    if not present:
        return not_applicable(f"there is no {' or '.join(rule['paths'])} here")
    hidden = [f"{file['path']} ({file['unreadable']})" for file in present if "unreadable" in file]
    faults = [fault for file in present if "unreadable" not in file for fault in _faults(file, rule)]
    if faults:
        return failed("; ".join(what for what, _ in faults), "; ".join(do for _, do in faults))
    if hidden:
        return unknown(f"could not look at {listed(hidden)}. {AS_ROOT}")
    return passed(listed([_shown(file) for file in present]))


def _faults(file: dict[str, Any], rule: dict[str, Any]) -> list[tuple[str, str]]:
    """(what is wrong, the command that mends it) of one file."""
    path, faults = file["path"], []
    excess = int(file["mode"], 8) & ~int(rule["mode"], 8)
    if excess:
        why = f": {rule['why']}" if "why" in rule else ""
        what = f"{path} is {file['mode']}, at most {rule['mode']} is allowed{why}"
        faults.append((what, f"chmod {_removed(excess)} {path}"))
    if file["owner"] not in rule["owners"]:
        faults.append((f"{path} belongs to {file['owner']}", f"chown {rule['owners'][0]} {path}"))
    if "groups" in rule and file["group"] not in rule["groups"]:
        faults.append((f"{path} has group {file['group']}", f"chgrp {rule['groups'][0]} {path}"))
    return faults


def _removed(excess: int) -> str:
    """Bits as chmod's symbols, such as `g-w,o-rwx`."""
    symbols = []
    for who, shift in (("u", 6), ("g", 3), ("o", 0)):
        bits = "".join(letter for letter, bit in zip("rwx", (4, 2, 1), strict=True) if excess >> shift & bit)
        if bits:
            symbols.append(f"{who}-{bits}")
    special = [("u-s", 0o4000), ("g-s", 0o2000), ("-t", 0o1000)]
    return ",".join(symbols + [symbol for symbol, bit in special if excess & bit])


def _shown(file: dict[str, Any]) -> str:
    return f"{file['path']} is {file['mode']} {file['owner']}:{file['group']}"


def world_writable(data: dict[str, Any], _: dict[str, Any]) -> Verdict:
    """Nothing under /etc is writable by everybody."""
    return _none_of(
        "world_writable", data, "writable by everybody", "chmod o-w PATH, and see what was changed there"
    )


def ownerless(data: dict[str, Any], _: dict[str, Any]) -> Verdict:
    """Everything under /etc belongs to a user that exists: a new user could get an old one's number."""
    return _none_of("ownerless", data, "owned by a number without a user", "chown root PATH, or remove it")


def _none_of(kind: str, data: dict[str, Any], words: str, do: str) -> Verdict:
    etc = data["etc"]
    if etc[kind]:
        total = etc["counts"][kind]
        return failed(f"{count(total, 'path')} under /etc {words}: {listed(etc[kind], total)}", do)
    seen = f"none of {etc['seen']} paths under /etc is {words}"
    if etc["unreadable"]:
        closed = listed(etc["unreadable"], etc["counts"]["unreadable"])
        return unknown(f"{seen}, but these folders are closed to this user: {closed}. {AS_ROOT}")
    return passed(seen)


KINDS = {"mode": mode, "world-writable": world_writable, "ownerless": ownerless}
