"""Which runner carries out what."""

from typing import get_args

import pytest

from config.definitions import (
    CcsRun,
    CollectRun,
    CommandRun,
    HttpRun,
    Run,
    SdeAgentRun,
    SdeConnectionRun,
)
from config.later import RUNS
from runners.ccs.runner import CcsRunner
from runners.local.collect import CollectRunner
from runners.local.command import CommandRunner
from runners.registry import Runners, UnsupportedRunError
from runners.sde.agent import SdeAgentRunner
from runners.sde.served import ServedRunner


class NoTasks:
    """A served API without a connection."""


runner_for = Runners({}, NoTasks()).runner_for


def test_kinds_with_a_runner():
    """Each kind has a runner of its own."""
    assert isinstance(runner_for(CommandRun(argv=("true",))), CommandRunner)
    assert isinstance(runner_for(CollectRun()), CollectRunner)
    assert isinstance(runner_for(CcsRun.model_construct()), CcsRunner)
    assert isinstance(runner_for(SdeAgentRun.model_construct()), SdeAgentRunner)
    assert isinstance(runner_for(SdeConnectionRun(connection=1)), ServedRunner)


@pytest.mark.parametrize("run", [HttpRun])
def test_kinds_without_one(run):
    """A kind whose runner is not there is refused by its name."""
    with pytest.raises(UnsupportedRunError, match=r"^this version cannot carry out run\.[a-z_]+ yet$"):
        runner_for(run.model_construct())


def test_the_kinds_without_one_are_those_that_check_warns_of():
    """`jobsd check` goes by a list in config, which may not import the runners: here it is held against them."""
    without = set()
    for run in get_args(Run):
        try:
            runner_for(run.model_construct())
        except UnsupportedRunError:
            without.add(run.model_fields["kind"].default)
    assert without == RUNS
