"""The real daemon is killed at every named point: nothing is lost, nothing runs twice, everything has its reason."""

import pytest
from chaos import short
from chaos.book import NAMES


def test_the_worlds_go_through_every_point():
    """No point is left out of the short form, and it has at least sixty kills."""
    wanted = [world["points"] for world in short.WORLDS.values()]
    assert frozenset().union(*wanted) == frozenset(NAMES)
    assert sum(len(points) for points in wanted) >= 60


@pytest.mark.timeout(600)  # half a minute on an idle machine
@pytest.mark.parametrize("name", short.WORLDS)
def test_a_kill_at_every_point_loses_and_repeats_nothing(pilot, name):
    """Each point is passed and killed at; ledger, expectation and what the work wrote down agree."""
    wanted = dict(short.WORLDS[name])
    points = wanted.pop("points")
    one = pilot(wanted.pop("jobs"), seed=5, **wanted)
    assert short.go_through(one, points) == set()
    assert {point for point in points if not one.book.kills[point]} == set()
    findings, left = one.finish()
    assert findings.faults == []
    assert left == 0
    assert one.errors() == []
    assert findings.occurrences > len(one.world.jobs)
