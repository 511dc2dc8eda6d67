#!/usr/bin/env python3
"""Collect the SSH server's configuration: sshd_config with all that it includes; a keyword's first value wins."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from host import Host, main, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = "/etc/ssh/sshd_config"


def collect(host: Host) -> dict[str, Any]:
    """Global settings by keyword (lower case), each with the place it stands at; Match blocks are only counted."""
    if host.facts(CONFIG).get("missing"):
        return {"installed": False}
    settings: dict[str, dict[str, str]] = {}
    matches = 0
    try:
        for place, keyword, value in statements(host, CONFIG):
            if keyword == "match":
                matches += 1
            else:
                settings.setdefault(keyword, {"value": value, "place": place})
    except OSError as error:
        return {"installed": True, "file": str(error.filename), **unreadable(error)}
    return {"installed": True, "settings": settings, "matches": matches}


def statements(host: Host, file: str, depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """(FILE:LINE, keyword, value) of a file and its includes; what stands in a Match block is left out."""
    for number, line in enumerate(host.lines(file), 1):
        words = split(line)
        if not words:
            continue
        keyword, values = words[0].lower(), words[1:]
        if keyword == "include" and depth < 16:  # sshd's own limit
            for pattern in values:
                for path in included(host, pattern):
                    yield from statements(host, path, depth + 1)
            continue
        yield f"{file}:{number}", keyword, " ".join(values)
        if keyword == "match":
            return  # it reaches to the end of the file


def split(line: str) -> list[str]:
    """The words of a line: `Keyword value`, `Keyword=value`, values in quotes; none of a comment."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # an unbalanced quote: sshd would refuse the file
        words = line.split()
    if words and "=" in words[0]:
        keyword, _, value = words[0].partition("=")
        return [keyword, *([value] if value else []), *words[1:]]
    return [word for word in words if word != "="]


def included(host: Host, pattern: str) -> list[str]:
    """The files that an Include names, in sshd's order; relative names are below /etc/ssh."""
    absolute = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
    return sorted(host.name(path) for path in host.root.glob(absolute.lstrip("/")))


if __name__ == "__main__":
    main(collect)
