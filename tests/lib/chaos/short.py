"""The short form: two worlds in which the daemon is killed once at every named point."""

from datetime import timedelta

from chaos.book import NAMES
from chaos.pilot import cancel
from chaos.world import CALENDARS, LOCAL, REMOTE

OUTSIDE = frozenset(
    {"send.before", "send.after", "mail.before", "mail.after", "delivery.before", "delivery.after"}
)
SELDOM = frozenset({"prune.before", "prune.after", "move.hold.before", "move.hold.after"})
PRUNES = frozenset({"prune.before", "prune.after"})
WORLDS = {
    "local": {"jobs": LOCAL, "points": frozenset(NAMES) - SELDOM - {"send.before", "send.after"}, "ill": 0.0},
    "remote": {
        "jobs": CALENDARS + REMOTE,
        "points": OUTSIDE | SELDOM | {"commit.before", "commit.after", "recover.before", "recover.after"}
        | {f"{name}.{side}" for name in ("asset", "spawn", "launch", "outcome") for side in ("before", "after")},
        "ill": 0.1, "retention": timedelta(hours=1),
    },
}  # fmt: skip
"""What each world has to reach; together that is every point."""


def go_through(pilot, points, *, most=100):
    """Live until the daemon was killed once at each of the points; those at which it was not."""
    left, lives = set(points), 0
    while left and lives < most:
        lives += 1
        if pilot.world.retention is not None and left <= PRUNES:  # the calendar's closures do not reach so far
            pilot.book.step(pilot.world.retention * 2)
        deed = cancel if lives % 3 == 0 and any("cancel" in point for point in left) else None
        left.discard(pilot.life(kill=dict.fromkeys(left, 0), deed=deed, seconds=3.0))
    return left
