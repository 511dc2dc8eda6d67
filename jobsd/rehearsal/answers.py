"""An answer of the application, held back whole: to be delayed, replaced, broken or altered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobsd.rehearsal.faults import JobStatus
from runners.ccs import wire

_ENDED = frozenset({wire.Status.COMPLETED, wire.Status.FAULTED, wire.Status.ABORTED})


@dataclass(slots=True)
class Held:
    """A whole answer."""

    start: Message = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    async def of(cls, app: ASGIApp, scope: Scope, receive: Receive) -> Held:
        """The answer of `app`, which has carried the request out when this returns."""
        held = cls()

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                held.start = message
            elif message["type"] == "http.response.body":
                held.body += message.get("body", b"")

        await app(scope, receive, hold)
        return held

    @property
    def status(self) -> int:
        """Its status."""
        return int(self.start["status"])

    def with_body(self, body: bytes) -> Held:
        """The same with another body."""
        headers = [(name, value) for name, value in self.start["headers"] if name.lower() != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        return Held({**self.start, "headers": [*headers, length]}, body)

    async def send(self, send: Send) -> None:
        """Send it whole."""
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})

    async def send_part(self, send: Send, length: int) -> None:
        """Send the first `length` bytes of its body, and promise the rest."""
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body[:length], "more_body": True})


def with_job_status(body: bytes, fault: JobStatus, now: datetime) -> bytes:
    """`body` with the job runs in it as ordered; unchanged if it holds none. `now` is their end if none is set."""
    try:
        answer = json.loads(body)
        found = wire.parse_job_runs(answer)
    except (ValueError, wire.WireFaults):
        return body
    altered: list[Any] = [_altered(one, fault, now).wire() for one in found]
    return json.dumps(altered if isinstance(answer, list) else altered[0]).encode()


def _altered(run: wire.JobStatus, fault: JobStatus, now: datetime) -> wire.JobStatus:
    if fault.job_run is not None and fault.job_run.lower() != run.job_run_id:
        return run
    ended = fault.status in _ENDED if fault.ended is None else fault.ended
    return replace(
        run,
        status=fault.status,
        custom_status_text=run.custom_status_text if fault.text is None else fault.text,
        exception=run.exception if fault.exception is None else fault.exception,
        ended_at=(run.ended_at or now) if ended else None,
    )
