"""Configuration files as this program reads them: their form, and what their runners know."""

from __future__ import annotations

from pathlib import Path

import config
from config.definitions import Configuration
from runners.judging import Judging


def load(path: Path) -> Configuration:
    """The configuration in the file at `path`, which messages name as it was given.

    Raises:
        ConfigError: The file cannot be read or has faults; all of them at once, in file order.
    """
    return config.load(path, judge=Judging())
