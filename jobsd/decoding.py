"""How jobs that were made through an API become definitions, by the API that made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from config.definitions import Configuration, JobDefinition
from runners.ccs import definition as ccs
from runners.sde import definition as sde

_DECODERS: Mapping[str, Callable[[Mapping[str, Any], Configuration], JobDefinition]] = {
    ccs.ORIGIN: ccs.definition_of,
    sde.ORIGIN: sde.definition_of,
}


def decode(origin: str, source: Mapping[str, Any], configuration: Configuration) -> JobDefinition:
    """The definition of a job of `origin`. Raises LookupError for an origin that this program does not know."""
    return _DECODERS[origin](source, configuration)


def complaint(origin: str, source: Mapping[str, Any], configuration: Configuration) -> str:
    """What of a job of `origin` cannot be carried out with this configuration, in words; empty if all can."""
    try:
        if origin == sde.ORIGIN:
            return sde.complaint(source, configuration)
        if origin == ccs.ORIGIN:
            ccs.judge(ccs.request_of(source), configuration)
    except (ValueError, LookupError) as error:  # refused, or not to be read at all
        return str(error)
    return ""
