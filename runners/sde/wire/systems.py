"""Systems: the product that a connection connects with; a name, or an object."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from runners.sde.wire import texts
from runners.sde.wire.answers import Answer
from runners.sde.wire.fields import Fields
from runners.sde.wire.ids import is_id


@dataclass(frozen=True, slots=True)
class System:
    """A product; what is not known of it is empty.

    Attributes:
        id: Such as `jira`; None where only a name is known, as in most jobs.
        short_name: Such as `Fortify`.
        name: Such as `Fortify Software Security Center`.
    """

    id: str | None
    short_name: str = ""
    name: str = ""

    @property
    def title(self) -> str:
        """The one text that stands for it."""
        return self.name or self.short_name or self.id or ""

    def wire(self, *, short_name: bool = True) -> dict[str, Any]:
        """As an object; the parts that are not known are left out."""
        parts = {"id": self.id, "short_name": self.short_name if short_name else "", "name": self.name}
        return {name: value for name, value in parts.items() if value}


def read_system(fields: Answer, name: str = "system") -> System | None:
    """A system, a name or an object."""
    value = fields.value(name)
    if isinstance(value, str):
        return System(None, name=fields.text(name) or "")
    inner = fields.within(name)
    if inner is None:
        return None
    return System(inner.word("id"), inner.text("short_name") or "", inner.text("name") or "")


def read_system_id(
    fields: Fields, known: Collection[str] | None = None, *, name: str = "system", required: bool = True
) -> str | None:
    """The id of the system that a request names, by an object or by a text; `known` are those that there are.

    Names in the object are ignored: the server has its own.
    """
    inner = fields.within(name, required=required, word="id")
    system = None if inner is None else inner.text("id")
    if inner is None or system is None:
        return None
    if not is_id(system) or (known is not None and system not in known):
        inner.refuse("id", texts.no_object(system))
        return None
    return system
