"""What the scheduler knows of each kind of run."""

from typing import get_args

from config.definitions import Run
from scheduler.traits import TRAITS


def test_every_kind_is_in_the_table():
    """A kind that is not there would stop the planner."""
    assert {kind.model_fields["kind"].default for kind in get_args(Run)} == TRAITS.keys()
