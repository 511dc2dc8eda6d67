"""Judge how file systems are mounted, and how full they are."""

from __future__ import annotations

from typing import Any

from .verdict import Verdict, failed, listed, not_applicable, passed


def options(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """`point` is mounted with `options`; with `required` it must be a mount of its own at all."""
    point = rule["point"]
    # Of several mounts on one point the last one counts: it covers the others.
    found = [mount for mount in data["mounts"] if mount["point"] == point][-1:]
    if not found:
        if rule.get("required"):
            return failed(
                f"{point} is no file system of its own", f"mount one there, with {','.join(rule['options'])}"
            )
        return not_applicable(f"{point} is no file system of its own")
    missing = [option for option in rule["options"] if option not in found[0]["options"]]
    if missing:
        do = f"add {','.join(missing)} to {point} in /etc/fstab, then mount -o remount,{','.join(missing)} {point}"
        return failed(f"{point} is mounted without {', '.join(missing)}: {rule['why']}", do)
    return passed(f"{point} is mounted with {', '.join(rule['options'])}")


def space(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """No writable local file system has more than `at_most` percent of its space or inodes in use."""
    seen = [mount for mount in data["mounts"] if mount["space"] is not None and "rw" in mount["options"]]
    full = [
        f"{mount['point']} ({what} {mount[what]} %)"
        for mount in seen
        for what in ("space", "inodes")
        if (mount[what] or 0) > rule["at_most"]
    ]
    if full:
        return failed(
            f"more than {rule['at_most']} % in use: {listed(full)}", "remove what is not needed, or enlarge it"
        )
    if not seen:
        return not_applicable("no writable local file system to measure")
    most = max(seen, key=lambda mount: mount["space"])
    return passed(f"{len(seen)} file systems, the fullest is {most['point']} with {most['space']} %")


KINDS = {"options": options, "space": space}
