"""How a job that was made through an API becomes a definition: given to the scheduler, which knows no API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from config.definitions import Configuration, JobDefinition

Decode = Callable[[str, Mapping[str, Any], Configuration], JobDefinition]
"""(origin, source, configuration) -> the definition, by what the configuration's tables say now.

It must not raise for a source that was accepted once: what it raises takes the job out of force.
"""


def decode_none(origin: str, source: Mapping[str, Any], configuration: Configuration) -> JobDefinition:
    """For a program without such an API: raises LookupError."""
    del source, configuration
    raise LookupError(f"this program does not know jobs of origin {origin!r}")
