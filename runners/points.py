"""Named points of the program at which a fault harness may kill, freeze or delay it; in the field nothing happens.

A point is passed by name; whoever wants to act there installs a hook in its own process. The table is what the
harness goes through: a point that is not in it is refused, and one that nobody passes is a fault of the harness.
"""

from __future__ import annotations

from collections.abc import Callable

MOVES = (
    "start", "rerun", "miss", "skip", "succeed", "leave", "retry", "hold", "interrupt", "fail", "lose", "expire",
    "cancel",
)  # fmt: skip
"""The transitions of a run (a test holds this and the life cycle's table together)."""

POINTS = frozenset(
    [
        "turn",  # a wake-up of the scheduling loop begins
        "install.before", "install.after",  # a configuration comes into force
        "recover.before", "recover.after",  # what ran when the daemon died is taken up
        "open.before", "open.after",  # a run's row is written
        *(f"move.{move}.{side}" for move in MOVES for side in ("before", "after")),
        "commit.before", "commit.after",  # a transaction has all its work, or is on the disk and not yet answered
        "launch.before", "launch.after",  # an attempt is on the disk as started, and gets its task
        "outcome.before", "outcome.after",  # a runner has answered; its answer is on the disk
        "asset.before", "asset.after",  # an asset is settled
        "spawn.before", "spawn.after",  # a child process is started
        "send.before", "send.after",  # an HTTP request to a counterpart; after: its answer is here
        "mail.before", "mail.after",  # a mail is handed to its server
        "delivery.before", "delivery.after",  # a try of the outbox; after: what became of it is not yet written
        "prune.before", "prune.after",  # one step of retention
    ]
)  # fmt: skip

Hook = Callable[[str], None]
_hook: Hook | None = None


def install(hook: Hook | None) -> None:
    """Have `hook` called with the name of each point that this process passes; None takes it away."""
    global _hook  # noqa: PLW0603 - one hook for one process
    _hook = hook


def passing(point: str) -> None:
    """Say that `point` is passed, in whatever thread."""
    if _hook is not None:
        if point not in POINTS:
            raise ValueError(f"{point!r} is not in POINTS")
        _hook(point)
