"""Blocking looks that must not hold the doctor up: a dead file system, a name server that does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def apart(look: Callable[[], T]) -> T:
    """What `look` returns or raises, from a thread that nobody waits for at the program's end."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[T] = loop.create_future()

    def tell(found: T | None, error: BaseException | None) -> None:
        if told.done():
            return
        if error is not None:
            told.set_exception(error)
        else:
            told.set_result(found)  # type: ignore[arg-type]

    def work() -> None:
        found: T | None = None
        error: BaseException | None = None
        try:
            found = look()
        except BaseException as caught:  # noqa: BLE001 - handed to whoever waits
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, found, error)

    threading.Thread(target=work, name="doctor", daemon=True).start()
    return await told
