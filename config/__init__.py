"""YAML to frozen, validated definitions."""

from config.definitions import Configuration, JobDefinition
from config.faults import ConfigError, Fault
from config.loading import load, loads

__all__ = ["ConfigError", "Configuration", "Fault", "JobDefinition", "load", "loads"]
