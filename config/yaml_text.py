"""Text to nodes: YAML with the 1.2 core meaning of plain words, every node with its place.

PyYAML's own resolvers read YAML 1.1, in which `25:30` is 1530 and `no` is False: they are not used.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError
from yaml.error import Mark, MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from config.faults import ConfigError, Fault

DEPTH = 100
"""Deepest nesting that is read; also keeps the C parser's stack small."""

STR, INT, FLOAT, BOOL, NULL = (f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null"))
MAP, SEQ = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"

_CORE = (
    (NULL, re.compile(r"(?:~|null|Null|NULL|)\Z")),
    (BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")),
    (INT, re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")),
    (
        FLOAT,
        re.compile(
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
        ),
    ),
)
_MAY_BE_SPECIAL = frozenset("~nNtTfF+-.0123456789")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def core_tag(value: str) -> str:
    """The tag of a plain scalar under the YAML 1.2 core schema."""
    if value and value[0] not in _MAY_BE_SPECIAL:
        return STR
    return next((tag for tag, pattern in _CORE if pattern.match(value)), STR)


class _CoreResolver:
    """What a PyYAML composer asks of its resolver; it also counts the depth."""

    depth = 0

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        if kind is ScalarNode:
            return core_tag(value) if implicit[0] else STR
        return MAP if kind is MappingNode else SEQ

    def descend_resolver(self, current_node: Node | None, current_index: Any) -> None:
        del current_index
        self.depth += 1
        if self.depth > DEPTH and current_node is not None:
            mark = current_node.start_mark
            raise ComposerError(None, None, f"nested deeper than {DEPTH} levels", mark)

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def check_resolver_prefix(self, depth: int, path: Any, kind: Any, *rest: Any) -> bool:
        del depth, path, kind, rest
        return False


class PureLoader(_CoreResolver, Reader, Scanner, Parser, Composer):
    """The composer in Python: for machines whose PyYAML was built without libyaml."""

    def __init__(self, stream: str) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)

    def dispose(self) -> None:
        """Nothing is held."""


def _best_loader() -> Any:
    if not yaml.__with_libyaml__:
        return PureLoader
    from yaml._yaml import CParser  # noqa: PLC0415 - only there with libyaml

    class CLoader(_CoreResolver, CParser):
        """The composer over libyaml, some ten times faster."""

    return CLoader


_Loader = _best_loader()


def compose(text: str, *, file: str, loader: Any = None) -> Node | None:
    """The root node of the one document in `text`; None if the text holds none.

    Raises:
        ConfigError: Not one well-formed YAML document; always a single fault.
    """
    bad = _UNPRINTABLE.search(text)
    if bad and not (bad.start() == 0 and bad.group() == "\ufeff"):
        line, column = _place(text, bad.start())
        raise _refusal(file, line, column, f"the character U+{ord(bad.group()):04X} is not allowed in YAML")
    composer = (loader or _Loader)(text.removeprefix("\ufeff"))
    try:
        node: Node | None = composer.get_single_node()
    except MarkedYAMLError as error:
        raise _syntax_fault(error, text, file) from None
    except (ReaderError, YAMLError, RecursionError, ValueError) as error:
        raise _refusal(file, 1, 1, f"not valid YAML: {error}") from None
    finally:
        composer.dispose()
    return node


def decode(data: bytes, *, file: str) -> str:
    """The text of a file, which is UTF-8 with or without a byte order mark.

    Raises:
        ConfigError: It is not; the fault names the first wrong byte.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = _place(before, len(before))
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise _refusal(file, line, column, message) from None


def _place(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1


def _refusal(file: str, line: int, column: int, message: str) -> ConfigError:
    return ConfigError([Fault(file, line, column, None, message)])


def _syntax_fault(error: MarkedYAMLError, text: str, file: str) -> ConfigError:
    mark: Mark | None = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or "it cannot be parsed"
    if "another document" in problem:
        return _refusal(file, line, column, "a second document begins here; a file holds one document")
    if "undefined alias" in problem:
        return _refusal(file, line, column, "the alias names no anchor before it; write &NAME at the value meant")
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    if rest.startswith("\t"):
        return _refusal(file, line, column, "a tab cannot indent YAML; write spaces")
    if problem == "mapping values are not allowed in this context":
        problem = 'a second ": " in one line; quote the value or start a new line'
    context = f" ({error.context}{_since(error)})" if error.context else ""
    return _refusal(file, line, column, f"not valid YAML: {problem}{context}")


def _since(error: MarkedYAMLError) -> str:
    start = error.context_mark
    return f" that begins at {start.line + 1}:{start.column + 1}" if start else ""
