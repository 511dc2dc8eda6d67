"""What tests of every package share."""

import pytest


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def alive():
    """Whether a process lives: a zombie that nobody has reaped does not."""
    return _alive
