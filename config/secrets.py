"""Secrets: where they come from, and that nothing shows them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from yaml.nodes import MappingNode, Node, ScalarNode

from config.faults import near_miss, quoted
from config.nodes import is_blank, key_text, scalar
from config.reading import Reading, Schema, Shape, below

Source = Literal["credential", "file", "env", "literal"]
SOURCES: tuple[Source, ...] = ("credential", "file", "env")


class SecretError(Exception):
    """A secret cannot be had now; the message names its source and never its value."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A reference to a secret, or a literal one.

    Attributes:
        source: Where it is.
        reference: The credential's name, the file's absolute path, or the variable's name; empty for a literal.
    """

    source: Source
    reference: str = ""
    _literal: str = field(default="", compare=True)

    @classmethod
    def literal(cls, value: str) -> Secret:
        """A secret that stands in the YAML itself."""
        return cls("literal", "", value)

    def resolve(self, environ: Mapping[str, str]) -> str:
        """The value; one line end at the end of a file is dropped.

        Raises:
            SecretError: It is not there, is empty, or its file can be read by others.
        """
        if self.source == "literal":
            return self._literal
        if self.source == "env":
            value = environ.get(self.reference, "")
        elif self.source == "file":
            value = _from_file(Path(self.reference), private=True)
        else:
            folder = environ.get("CREDENTIALS_DIRECTORY", "")
            if not folder:
                why = "$CREDENTIALS_DIRECTORY is not set; systemd sets it for LoadCredential="
                raise SecretError(f"credential {self.reference}: {why}")
            value = _from_file(Path(folder) / self.reference, private=False)
        if not value:
            raise SecretError(f"{self.source} {self.reference} is not set or empty")
        return value

    def describe(self) -> dict[str, str]:
        """The reference as plain JSON values; of a literal only that it is one."""
        return {self.source: self.reference}

    def __repr__(self) -> str:
        return f"Secret({self.source}{' ' if self.reference else ''}{self.reference})"


def readable_by_others(path: Path) -> bool:
    """Whether group or others may read the file at `path`.

    Raises:
        OSError: There is none.
    """
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _from_file(path: Path, *, private: bool) -> str:
    try:
        if private and readable_by_others(path):
            raise SecretError(f"{path} can be read by group or others; run chmod 600 on it")
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SecretError(f"{path}: {why}") from None


@dataclass(frozen=True)
class SecretShape(Shape):
    """`{credential: NAME}`, `{file: PATH}`, `{env: NAME}`, or a literal with a warning."""

    noun: str = "a secret"
    allowed: str = "{credential: NAME}, {file: PATH} or {env: NAME}"
    secret: bool = True

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The Secret; nothing of the value is in any message."""
        if isinstance(node, ScalarNode) and not is_blank(node):
            value = scalar(node)
            if not isinstance(value, str) or not value:
                return self.refuse(node, path, reading, "quote it, or write " + self.allowed)
            reading.warn(node, path, f"the secret stands in the file itself; write {self.allowed}")
            return Secret.literal(value)
        if not isinstance(node, MappingNode) or len(node.value) != 1:
            return self.refuse(node, path, reading)
        ((key, value_node),) = node.value
        source = key_text(key) or ""
        if source not in SOURCES:
            return self._refuse_source(key, source, path, reading)
        reference = scalar(value_node) if isinstance(value_node, ScalarNode) else None
        if not isinstance(reference, str) or not reference:
            return reading.fault(
                value_node, below(path, source), f"this is not a name or path; write {self.allowed}"
            )
        if source == "file":
            return self._file(value_node, reference, below(path, source), reading)
        if source == "credential" and ("/" in reference or reference.startswith(".")):
            return reading.fault(value_node, below(path, source), "write the credential's name, not a path")
        return Secret(source, reference)

    @staticmethod
    def _refuse_source(key: Node, source: str, path: str, reading: Reading) -> Any:
        message = (
            f"this is not a source of a secret; write one of credential, file, env{near_miss(source, SOURCES)}"
        )
        return reading.fault(key, path, message)

    @staticmethod
    def _file(node: Node, reference: str, path: str, reading: Reading) -> Any:
        file = Path(os.path.normpath(reading.folder / reference))
        try:
            if readable_by_others(file):
                return reading.fault(
                    node,
                    path,
                    f"{quoted(str(file), most=500)} can be read by group or others; run chmod 600 on it",
                )
        except (OSError, ValueError):
            return reading.fault(
                node, path, f"{quoted(str(file), most=500)} cannot be read; write the path of an existing file"
            )
        return Secret("file", str(file))

    def schema(self, *, partial: bool) -> Schema:
        """One of the three references, or a string."""
        del partial
        text = {"type": "string", "minLength": 1}
        references = [
            {"type": "object", "properties": {s: text}, "required": [s], "additionalProperties": False}
            for s in SOURCES
        ]
        return {"anyOf": [*references, {**text, "description": "A literal secret: accepted with a warning."}]}


SECRET = SecretShape()
