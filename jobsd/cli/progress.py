"""Progress of long work on a terminal; nothing anywhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from scheduler.clock import stopwatch

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")

PATIENCE_S = 0.5
"""Work that is done sooner shows no bar."""

_EVERY = 256


def bar() -> Progress:
    """A bar on standard error that goes when it is done."""
    # rich takes long to load, and most calls show no bar.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def tracked(items: Iterable[T], done: Callable[[T], float], label: str) -> Iterator[T]:
    """The items, with a bar on a terminal if they take long; `done` tells the share done at an item, 0 to 1."""
    if not sys.stderr.isatty():
        yield from items
        return
    began = stopwatch()
    with contextlib.ExitStack() as stack:
        shown: Progress | None = None
        for count, item in enumerate(items):
            if shown is None and count % _EVERY == 0 and stopwatch() - began > PATIENCE_S:
                shown = stack.enter_context(bar())
                task = shown.add_task(label, total=1.0)
            if shown is not None and count % _EVERY == 0:
                shown.update(task, completed=done(item))
            yield item
