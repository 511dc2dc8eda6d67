"""What a shape reads with: where faults go, and the base of all shapes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from yaml.nodes import Node, ScalarNode

from config.faults import Fault
from config.nodes import scalar, shown


class Bad(Enum):
    """The value of a node that had a fault; never reaches a definition."""

    BAD = "bad"


BAD: Final = Bad.BAD

Schema = dict[str, Any]


class Refused(ValueError):
    """A plain value has no meaning here; its text says what to write, or is empty.

    `instead` replaces "is not a …" in the message.
    """

    def __init__(self, text: str = "", *, instead: str = "") -> None:
        super().__init__(text)
        self.instead = instead


@dataclass
class Reading:
    """One file being read.

    Attributes:
        file: As given on the command line.
        folder: From which relative paths resolve.
        job: Name of the job being read, for messages.
        partial: Inside `defaults:`: nothing is missing yet.
        known: Places of faults that `defaults:` already has; not said again for each job.
        warned: Places of warnings, likewise.
    """

    file: str
    folder: Path
    job: str | None = None
    partial: bool = False
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    known: set[tuple[int, int]] = field(default_factory=set)
    warned: set[tuple[int, int]] = field(default_factory=set)

    def fault(self, node: Node, path: str, message: str) -> Bad:
        """Record a fault at `node`; returns BAD for the caller to hand on."""
        mark = node.start_mark
        place = (mark.line + 1, mark.column + 1)
        if place not in self.known:
            self.faults.append(Fault(self.file, *place, self.job, _with_path(path, message)))
        if self.partial:
            self.known.add(place)
        return BAD

    def warn(self, node: Node, path: str, message: str) -> None:
        """Record what `jobsd check` says about a valid file, once for each place."""
        mark = node.start_mark
        place = (mark.line + 1, mark.column + 1)
        if place not in self.warned and not self.partial:
            self.warned.add(place)
            self.warnings.append(Fault(self.file, *place, self.job, _with_path(path, message)))


def _with_path(path: str, message: str) -> str:
    return f"{path}: {message}" if path else message


def below(path: str, key: str) -> str:
    """The dotted path of `key` under `path`."""
    return f"{path}.{key}" if path else key


class Shape(ABC):
    """What a value may look like: reads it from a node, and says itself as JSON Schema.

    Attributes:
        noun: What the value is called in a message: "a duration".
        allowed: What may be written, in words.
        secret: The value is never shown in a message.
        bare: Leaving it empty has a meaning.
    """

    noun: str
    allowed: str
    secret: bool = False
    bare: bool = False

    @abstractmethod
    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The value of `node`, or BAD after its faults were recorded."""

    @abstractmethod
    def schema(self, *, partial: bool) -> Schema:
        """JSON Schema of what may be written; `partial` leaves out what is required."""

    def merge(self, base: Node, over: Node) -> Node:
        """What a job inherits and what it writes, as one node; by default what it writes stands alone."""
        del base
        return over

    def written(self, value: Any) -> Any:
        """A value as it would be written, for the defaults in the JSON Schema and in docs."""
        return value

    def refuse(self, node: Node, path: str, reading: Reading, why: str = "", instead: str = "") -> Bad:
        """Record that `node` is no such value."""
        found = "this value" if self.secret and isinstance(node, ScalarNode) else shown(node)
        advice = why or ("" if self.allowed == self.noun else f"write {self.allowed}")
        return reading.fault(
            node, path, f"{found} {instead or f'is not {self.noun}'}{'; ' if advice else ''}{advice}"
        )


class Scalar(Shape):
    """A shape of one plain value."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The parsed value, or BAD."""
        if not isinstance(node, ScalarNode):
            return self.refuse(node, path, reading)
        try:
            return self.parse(scalar(node))
        except Refused as error:
            return self.refuse(node, path, reading, str(error), error.instead)

    @abstractmethod
    def parse(self, value: Any) -> Any:
        """The meaning of a plain value.

        Raises:
            Refused: It has none; the text says what to write, or is empty.
        """
