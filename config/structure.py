"""Makes a composed document safe to walk: merge keys applied, duplicate keys refused, aliases bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.faults import ConfigError, Fault, quoted
from config.nodes import is_known_tag, key_text, scalar, shown
from config.yaml_text import DEPTH, STR

SLACK = 100_000
"""Values that aliases may add to any file, besides ten times what is written."""

_Entries = list[tuple[Node, Node]]


@dataclass
class _Size:
    """A finished node: how many values it stands for with its aliases written out, and how deep it goes."""

    values: int
    depth: int


_LEAF = _Size(1, 1)


@dataclass
class Structure:
    """One pass over a document; `faults` collects what it finds."""

    file: str
    faults: list[Fault] = field(default_factory=list)
    _sizes: dict[int, _Size | None] = field(default_factory=dict)
    _written: int = 0
    _merged: int = 0

    def settle(self, root: Node) -> None:
        """Check `root` and all below it, and apply its merge keys in place.

        Raises:
            ConfigError: What aliases expand to is too large or endless; nothing may walk such a document.
        """
        size = self._visit(root)
        if size.values > 10 * self._written + SLACK:
            raise self._refusal(root, f"aliases expand this file of {self._written} values to {size.values}")

    def _visit(self, node: Node) -> _Size:
        if isinstance(node, ScalarNode):
            return self._leaf(node)
        if id(node) in self._sizes:
            known = self._sizes[id(node)]
            if known is None:
                raise self._refusal(node, "an anchor may not contain its own alias")
            return known
        self._sizes[id(node)] = None
        self._written += 1
        if not is_known_tag(node):
            self._refuse_tag(node)
        children = self._children(node)
        sizes = [self._visit(child) for child in children]
        size = _Size(1 + sum(s.values for s in sizes), 1 + max((s.depth for s in sizes), default=0))
        if size.depth > DEPTH:
            raise self._refusal(node, f"nested deeper than {DEPTH} levels")
        if isinstance(node, MappingNode):
            node.value = self._entries(node)
        self._sizes[id(node)] = size
        return size

    @staticmethod
    def _children(node: Node) -> list[Node]:
        if isinstance(node, SequenceNode):
            return list(node.value)
        if isinstance(node, MappingNode):
            return [part for entry in node.value for part in entry]
        return []

    def _leaf(self, node: ScalarNode) -> _Size:
        """Most nodes are texts: they cost as little as can be."""
        self._written += 1
        if node.tag == STR:
            return _LEAF
        if not is_known_tag(node):
            self._refuse_tag(node)
            return _LEAF
        try:
            scalar(node)
        except ValueError:
            self._fault(node, f"{quoted(node.value)} is not a value of the type {node.tag.rpartition(':')[2]}")
            node.tag = STR
        return _LEAF

    def _refuse_tag(self, node: Node) -> None:
        self._fault(node, f"the tag {quoted(str(node.tag))} is not used here; write plain values")

    def _entries(self, node: MappingNode) -> _Entries:
        seen: dict[str, Node] = {}
        own: _Entries = []
        merges: list[Node] = []
        for key, value in node.value:
            text = key_text(key)
            if text is None:
                self._fault(key, f"{shown(key)} cannot be a key; write a word")
            elif text == "<<" and not key.style:
                merges.append(value)
            elif text in seen:
                first = seen[text].start_mark.line + 1
                self._fault(key, f"the key {quoted(text)} stands here twice; first on line {first}")
            else:
                seen[text] = key
                own.append((key, value))
        for value in merges:
            for entry in self._merge_entries(value):
                text = key_text(entry[0]) or ""
                if text not in seen:
                    seen[text] = entry[0]
                    own.append(entry)
        return own

    def _merge_entries(self, value: Node) -> Iterator[tuple[Node, Node]]:
        sources = value.value if isinstance(value, SequenceNode) else [value]
        for source in sources:
            if not isinstance(source, MappingNode):
                self._fault(source, f"<<: {shown(source)} cannot be merged; write an alias of a mapping")
                continue
            self._merged += len(source.value)
            if self._merged > 10 * self._written + SLACK:
                raise self._refusal(value, f"merge keys copy more than {self._merged - 1} values")
            yield from source.value

    def _fault(self, node: Node, message: str) -> None:
        mark = node.start_mark
        self.faults.append(Fault(self.file, mark.line + 1, mark.column + 1, None, message))

    def _refusal(self, node: Node, message: str) -> ConfigError:
        self._fault(node, message)
        return ConfigError(self.faults)
