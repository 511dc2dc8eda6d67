"""How jobs that were made through an API become definitions, by the API that made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from config.definitions import Configuration, JobDefinition
from runners.ccs import definition as ccs

_DECODERS: Mapping[str, Callable[[Mapping[str, Any], Configuration], JobDefinition]] = {
    ccs.ORIGIN: ccs.definition_of,
}


def decode(origin: str, source: Mapping[str, Any], configuration: Configuration) -> JobDefinition:
    """The definition of a job of `origin`. Raises LookupError for an origin that this program does not know."""
    return _DECODERS[origin](source, configuration)
