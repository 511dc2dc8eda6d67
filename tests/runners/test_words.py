"""Durations and arguments in words."""

from datetime import timedelta
from pathlib import Path

import pytest

from runners.api import StopReason
from runners.local.words import STOPPED, duration, exit_words, filled


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0s"),
        (timedelta(milliseconds=500), "0.5s"),
        (timedelta(seconds=90), "1m 30s"),
        (timedelta(hours=4), "4h"),
        (timedelta(days=8, minutes=5), "8d 5m"),
    ],
)
def test_durations(span, words):
    """A duration reads as the YAML writes one."""
    assert duration(span) == words


def test_values_are_not_read_again():
    """A value that looks like a placeholder stays as it is, and a bare program is left to PATH."""
    argv = ("ls", "{job}-{run_id}{x}")
    assert filled(argv, {"job": "{run_id}", "run_id": "7"}, Path("/etc")) == ("ls", "{run_id}-7{x}")
    assert filled(("/bin/ls",), {}, Path("/etc")) == ("/bin/ls",)
    assert filled(("sub/ls",), {}, Path("/etc")) == ("/etc/sub/ls",)


def test_endings():
    """Signals are named where they have a name, and every reason to stop has its words."""
    assert exit_words(-9, "") == "killed by SIGKILL"
    assert exit_words(-35, "bye") == "killed by signal 35: bye"
    assert exit_words(None, "") == "could not be ended"
    assert STOPPED.keys() == set(StopReason)
