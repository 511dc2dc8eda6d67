"""Text as the YAML that `jobsd import` prints has it. Pure."""

from __future__ import annotations

import json


def text(value: str) -> str:
    """`value` in double quotes: JSON's escapes, and YAML's own for the characters that JSON has two for."""
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in quoted)


def printable(value: str) -> str:
    """`value` on one line of a comment, where nothing is an escape: what cannot be printed becomes its number."""
    return "".join(
        char if char.isprintable() else f"\\x{ord(char):02x}" if ord(char) < 0x100 else _escaped(char)
        for char in value
    )


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
