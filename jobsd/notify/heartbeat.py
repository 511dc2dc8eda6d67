"""A heartbeat as an HTTP request: POST of nothing, to an address that is a secret."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version

from config.definitions import JobDefinition
from config.values import origin
from jobsd.notify.webhook import KEY, verdict
from runners.web import Answer, AsyncWeb, Unreachable, is_plain
from scheduler.ledger.deliveries import Delivery, Void
from scheduler.outbox import Later, Result

LIMIT = timedelta(seconds=30)
"""Longest wait for an answer."""

MOST = 1024 * 1024
"""Bytes of an answer that are read."""

LEAST = 6
"""Characters of a path that is worth hiding; shorter ones are parts of other words."""


async def send(delivery: Delivery, job: JobDefinition | None, *, now: datetime) -> Result:
    """Make one try; `job` is the definition in force, which has the address."""
    heartbeat = None if job is None else job.notify.heartbeat
    if heartbeat is None:
        return Void("the job has no heartbeat any more")
    url = heartbeat.failure if delivery.about == "failure" else heartbeat.url
    if url is None:
        return Void("no address is called any more when the job fails")
    try:
        answer = await call(url, LIMIT, {KEY: delivery.delivery_id})
    except Unreachable as error:
        return Later(f"no answer: {error}")
    return verdict(answer, now)


async def call(url: str, within: timedelta, headers: dict[str, str] | None = None) -> Answer:
    """Call `url` once.

    Raises:
        Unreachable: No answer came; its words have no more of the address than its origin.
    """
    ours = {"User-Agent": f"jobsd/{version('jobsd')}", **(headers or {})}
    make = partial(AsyncWeb, headers=ours, timeout=within, most=MOST, plain=is_plain(url))
    web = await asyncio.to_thread(make)  # the host's trust is read
    try:
        return await web.request("POST", url, content=b"")
    except Unreachable as error:
        raise Unreachable(_without(str(error), url)) from None
    finally:
        await web.aclose()


def _without(words: str, url: str) -> str:
    """`words` without what follows the origin of `url`, whatever quotes it."""
    hidden = url.removeprefix(origin(url)).strip("/?#")
    return "the address cannot be used" if len(hidden) >= LEAST and hidden in words else words
