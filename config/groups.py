"""Asset groups: lists of assets and of other groups, resolved to their assets."""

from __future__ import annotations

from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from config.containers import ListOf
from config.faults import quoted
from config.inventory import Asset
from config.nodes import key_text
from config.references import FileReading
from config.runs import ASSET_ITEM

GROUP = ListOf(ASSET_ITEM)


class Groups:
    """Resolves groups; a group that contains itself is a fault at the member that leads back."""

    def __init__(self, node: MappingNode, read: dict[str, tuple[Asset | str, ...]], reading: FileReading) -> None:
        self._nodes = {key_text(key) or "": value for key, value in node.value}
        self._read = read
        self._reading = reading
        self._done: dict[str, tuple[Asset, ...]] = {}

    def resolved(self) -> dict[str, tuple[Asset, ...]]:
        """Every group's assets, each once, in the order in which they are first met."""
        for name in self._read:
            self._resolve(name)
        return {name: self._done[name] for name in self._read}

    def _resolve(self, wanted: str) -> None:
        """Depth first with a stack of its own: groups may nest deeper than Python's stack."""
        stack = [wanted]
        while stack:
            name = stack[-1]
            if name in self._done:
                stack.pop()
                continue
            waiting = [m for m in self._read.get(name, ()) if isinstance(m, str) and m not in self._done]
            loops = [member for member in waiting if member in stack]
            if loops:
                self._refuse(name, loops[0], stack)
                self._done[name] = ()
            elif waiting:
                stack.append(waiting[0])
            else:
                self._done[name] = self._members(name)

    def _members(self, name: str) -> tuple[Asset, ...]:
        found: dict[str, Asset] = {}
        for member in self._read.get(name, ()):
            for asset in self._done[member] if isinstance(member, str) else (member,):
                found.setdefault(asset.id, asset)
        return tuple(found.values())

    def _refuse(self, name: str, member: str, stack: list[str]) -> None:
        node = self._nodes[name]
        items = node.value if isinstance(node, SequenceNode) else []
        place = next((item for item in items if isinstance(item, ScalarNode) and item.value == member), node)
        way = " in ".join(quoted(step) for step in [member, *reversed(stack[stack.index(member) :])])
        self._reading.fault(place, f"asset_groups.{name}", f"the group contains itself: {way}")
