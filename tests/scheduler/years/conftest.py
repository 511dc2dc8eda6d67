"""The modules of the simulated years."""

import importlib.util
import sys
from pathlib import Path

import pytest


def _load(name):
    """A module beside this file: with import-mode importlib nothing else finds it."""
    full = f"simulated_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"{name}.py"))
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


@pytest.fixture
def walk():
    """When jobs fire, found without the product."""
    return _load("walk")


@pytest.fixture
def world():
    """The jobs."""
    return _load("world")


@pytest.fixture
def expected():
    """The rows that should be."""
    return _load("expected")
