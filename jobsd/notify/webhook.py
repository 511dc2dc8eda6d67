"""A delivery as an HTTP request: POST of JSON."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from config.definitions import JobDefinition, Secret
from config.secrets import SecretError
from runners.web import Answer, AsyncWeb, Unreachable, is_plain
from scheduler.ledger.deliveries import Delivery
from scheduler.outbox import Delivered, Later, Refused, Result

KEY = "Idempotency-Key"
"""The header that has the delivery's GUID: the same one when it is sent again."""

_AGAIN = frozenset({408, 425, 429})
"""Answers below 500 that say: not now."""


async def send(delivery: Delivery, job: JobDefinition | None, *, now: datetime) -> Result:
    """Make one try; `job` is the definition in force, which has the token if that stands in the file itself."""
    headers = {KEY: delivery.delivery_id, "User-Agent": f"jobsd/{version('jobsd')}"}
    try:
        token = _token(delivery.body, job)
    except SecretError as error:
        return Later(f"the token cannot be had: {error}")
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = {"delivery_id": delivery.delivery_id, **delivery.body["payload"]}
    url = delivery.body["url"]
    web = await asyncio.to_thread(AsyncWeb, plain=is_plain(url))  # whom the host trusts is read from the disk
    try:
        answer = await web.request("POST", url, json=body, headers=headers)
    except Unreachable as error:
        return Later(f"no answer: {error}")
    finally:
        await web.aclose()
    return verdict(answer, now)


def verdict(answer: Answer, now: datetime) -> Result:
    """What an answer means, from whatever receiver."""
    if 200 <= answer.status < 300:
        return Delivered()
    reason = f"it answers {answer.status}"
    if answer.status in _AGAIN or answer.status >= 500:
        return Later(reason, after=answer.retry_after(now))
    if 300 <= answer.status < 400:
        reason += ": redirects are not followed, write the address where it is now"
    return Refused(reason)


def _token(body: Mapping[str, Any], job: JobDefinition | None) -> str | None:
    """The token in clear. The ledger has only where it is; a literal one is read from the definition in force.

    Raises SecretError.
    """
    reference = body.get("token")
    if reference is None:
        return None
    ((source, name),) = reference.items()
    if source != "literal":
        return Secret(source, name).resolve(os.environ)
    webhook = None if job is None else job.notify.webhook
    if webhook is None or webhook.token is None or webhook.url != body["url"]:
        raise SecretError("it stood in the job's definition, and is there no more")
    return webhook.token.resolve(os.environ)
