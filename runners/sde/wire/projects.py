"""Projects, as far as they matter here: a number and a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runners.sde.wire.answers import Answer


@dataclass(frozen=True, slots=True)
class Project:
    """A project. The pages do not show one; a server's own has more fields."""

    id: int
    name: str = ""

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {"id": self.id, "name": self.name}


def parse_project(answer: object) -> Project:
    """A project; what is not known in it is ignored.

    Raises:
        WireFaults: It is no object, its id is missing or wrong, or its name is no text.
    """
    fields = Answer.of_message(answer)
    project = Project(fields.key("id", required=True) or 0, fields.text("name") or "")
    fields.settle()
    return project
