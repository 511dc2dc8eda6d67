"""Which runner carries out what."""

import pytest

from config.definitions import CcsRun, CollectRun, CommandRun, HttpRun, SdeAgentRun, SdeFileRun, SdeRun
from runners.local.collect import CollectRunner
from runners.local.command import CommandRunner
from runners.registry import UnsupportedRunError, runner_for


def test_kinds_with_a_runner():
    """`command` and `collect` are carried out."""
    assert isinstance(runner_for(CommandRun(argv=("true",))), CommandRunner)
    assert isinstance(runner_for(CollectRun()), CollectRunner)


@pytest.mark.parametrize("run", [CcsRun, SdeRun, SdeAgentRun, SdeFileRun, HttpRun])
def test_kinds_without_one(run):
    """A kind whose runner is not there is refused by its name."""
    with pytest.raises(UnsupportedRunError, match=r"^this version cannot carry out run\.[a-z_]+ yet$"):
        runner_for(run.model_construct())
