"""Testing a connector or a connection before it is kept: does the tool answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from runners.sde.wire import texts
from runners.sde.wire.answers import Answer
from runners.sde.wire.fields import Exists, Fields
from runners.sde.wire.systems import read_system_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is to be tested.

    Attributes:
        name: Of the connector, or alias of the connection.
        system: Its id.
        connector: Its id; of a connection's test only, whose params then stand over those of this connector.
        project: Its id; of a connection's test only.
    """

    name: str
    system: str
    params: Mapping[str, Any] = field(repr=False)
    connector: int | None = None
    project: int | None = None

    def wire(self) -> dict[str, Any]:
        """As the API has it: a connector's where there is neither connector nor project."""
        whose = {"connector": self.connector, "project": self.project}
        of_connection = {name: key for name, key in whose.items() if key is not None}
        return {
            ("alias" if of_connection else "name"): self.name,
            **of_connection,
            "system": {"id": self.system},
            "params": dict(self.params),
        }


def parse_connector_trial(body: object, systems: Collection[str] | None = None) -> Trial:
    """The body of a POST to the test of a connector; fields not known are ignored.

    Raises:
        WireFaults: All its faults at once, in the framework's words.
    """
    fields = Fields.of_message(body)
    name, system, params = fields.text("name"), read_system_id(fields, systems), fields.params()
    fields.settle()
    return Trial(name=name or "", system=system or "", params=params or {})


def parse_connection_trial(
    body: object,
    *,
    systems: Collection[str] | None = None,
    connectors: Exists | None = None,
    projects: Exists | None = None,
) -> Trial:
    """The body of a POST to the test of a connection; fields not known are ignored.

    The page's table asks for `name`, its sample sends `alias`, `connector` and `project`: one of the first two
    is needed, the others are not.

    Raises:
        WireFaults: All its faults at once, in the framework's words.
    """
    fields = Fields.of_message(body)
    alias, name = fields.text("alias", required=False), fields.text("name", required=False)
    if not fields.has("alias") and not fields.has("name"):
        fields.refuse("alias", texts.REQUIRED)
    connector = fields.key("connector", connectors, required=False)
    project = fields.key("project", projects, required=False)
    system, params = read_system_id(fields, systems), fields.params()
    fields.settle()
    return Trial(
        name=alias or name or "", system=system or "", params=params or {}, connector=connector, project=project
    )


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What came of it; `message` says why where it did not succeed. The pages show success only."""

    success: bool
    message: str = ""

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {"success": self.success, **({"message": self.message} if self.message else {})}


def parse_trial_result(answer: object) -> TrialResult:
    """What a server answers to a test.

    Raises:
        WireFaults: It does not say whether it succeeded.
    """
    fields = Answer.of_message(answer)
    success = fields.flag("success", required=True)
    fields.settle()
    return TrialResult(bool(success), fields.words("message"))
