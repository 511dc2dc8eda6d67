"""Worlds for a daemon to die in; the harness itself is tests/lib/chaos."""

import pytest


@pytest.fixture
def pilot(tmp_path, fork_server):
    """A function that makes a world and the pilot of the lives in it; all are brought down."""
    from chaos.pilot import Pilot

    made = []

    def make(jobs, **more):
        made.append(Pilot(tmp_path / f"world-{len(made)}", fork_server, jobs, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
