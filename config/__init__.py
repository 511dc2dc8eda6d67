"""YAML to frozen, validated definitions."""

from config.definitions import Configuration, JobDefinition
from config.faults import ConfigError, Fault
from config.lint import lint
from config.loading import load, loads
from config.schema import json_schema

__all__ = ["ConfigError", "Configuration", "Fault", "JobDefinition", "json_schema", "lint", "load", "loads"]
