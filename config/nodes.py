"""What nodes hold: their plain values, their entries, and how they are called in a message."""

from __future__ import annotations

from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.faults import quoted
from config.yaml_text import BOOL, FLOAT, INT, MAP, NULL, SEQ, STR

_SCALAR_TAGS = frozenset({BOOL, FLOAT, INT, NULL, STR})


def is_known_tag(node: Node) -> bool:
    """Whether the node has one of the core tags, and one that suits its kind."""
    if isinstance(node, ScalarNode):
        return node.tag in _SCALAR_TAGS
    return node.tag == (MAP if isinstance(node, MappingNode) else SEQ)


def is_null(node: Node) -> bool:
    """Whether the node is null, written or left empty."""
    return isinstance(node, ScalarNode) and node.tag == NULL


def is_blank(node: Node) -> bool:
    """Whether nothing at all is written."""
    return is_null(node) and node.value == ""


def scalar(node: ScalarNode) -> Any:
    """The plain value: str, int, float, bool or None.

    Raises:
        ValueError: An explicit tag that the text does not fit, or a number of absurd length.
    """
    text: str = node.value
    if node.tag == INT:
        sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text.lstrip("+"))
        base = {"0o": 8, "0x": 16}.get(digits[:2], 10)
        return sign * int(digits[2:] if base != 10 else digits, base)
    if node.tag == FLOAT:
        lowered = text.lower()
        return float(lowered.replace(".inf", "inf").replace(".nan", "nan"))
    if node.tag == BOOL:
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    return None if node.tag == NULL else text


def shown(node: Node) -> str:
    """The value as a message shows it: short, on one line."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if is_blank(node):
        return "nothing"
    if node.tag == STR:
        return quoted(node.value)
    return quoted(node.value)[1:-1]


def key_text(node: Node) -> str | None:
    """The text of a mapping's key, or None if it is no scalar."""
    return str(node.value) if isinstance(node, ScalarNode) else None
