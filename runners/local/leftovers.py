"""What attempts of a dead daemon left running: found at the next start, and ended."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from runners.api import Clock
from runners.local.environment import folder_prefix, remove_folder
from runners.local.family import Family, end
from runners.local.looks import look


async def end_leftovers(tokens: Collection[str], *, kill_after: timedelta, clock: Clock) -> int:
    """End every process that carries one of `tokens` as its JOBSD_ATTEMPT, with its group and its descendants.

    TERM, then KILL `kill_after` of the clock's time later; their working folders are removed too. A process that
    changed its environment as it left its parents is not found.

    Args:
        tokens: Of attempts that nobody carries out any more.
        kill_after: Between TERM and KILL.
        clock: The daemon's.

    Returns:
        How many processes were found and ended.
    """
    if not tokens:
        return 0
    family = Family(None, [frozenset({b"JOBSD_ATTEMPT=" + token.encode()}) for token in tokens])
    found = len(family.living(await look()))
    left = await end(family, kill_after=kill_after, clock=clock) if found else 0
    await asyncio.to_thread(_remove_folders, tokens)
    return found - left


def _remove_folders(tokens: Collection[str]) -> None:
    for token in tokens:
        for folder in Path(tempfile.gettempdir()).glob(f"{folder_prefix(token)}*"):
            remove_folder(folder)
