"""The layer itself: every request is written down, and meets the fault that was ordered for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobsd.rehearsal import control, faults
from jobsd.rehearsal.answers import Held, with_job_status
from jobsd.rehearsal.book import Book, Seen
from jobsd.rehearsal.connection import Line

MARK = (b"x-jobsd-rehearsal", b"true")
"""A header of every answer."""

MOST_BODY = 1024 * 1024
"""Bytes of a request's body that are looked at."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The application with faults to order. Orders come to `desk`, everything else goes to `app`."""

    app: ASGIApp
    desk: ASGIApp
    book: Book
    now: Callable[[], datetime]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or play what was ordered for it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        line = Line(scope, receive)
        if control.is_ours(scope["path"]):
            await self.desk(scope, receive, _marked(send))
            return
        body, receive = await _looked_at(receive)
        seen, order = self.book.came(self.now(), scope["method"], scope["path"], body)
        if order is None:
            await self.app(scope, receive, _marked(_noted(send, seen)))
            return
        _log.info("rehearsal_fault", fault=seen.fault, order=seen.order, method=seen.method, path=seen.path)
        await _Play(self, scope, receive, send, line, seen).play(order.fault)


@dataclass(frozen=True, slots=True)
class _Play:
    """One fault on one request."""

    house: Rehearsed
    scope: Scope
    receive: Receive
    send: Send
    line: Line
    seen: Seen

    async def play(self, fault: faults.Fault) -> None:
        match fault:
            case faults.DropBefore():
                await self.line.cut()
                return
            case faults.Delay(when=faults.When.BEFORE):
                await asyncio.sleep(fault.seconds)
            case faults.Answer(when=faults.When.BEFORE):
                await self._send(_other(fault))
                return
            case _:
                pass
        await self._play_after(fault, await self._carried_out())

    async def _play_after(self, fault: faults.Fault, held: Held) -> None:
        match fault:
            case faults.DropAfter():
                await self.line.cut()
            case faults.Truncate():
                keep = len(held.body) // 2 if fault.keep is None else fault.keep
                self.seen.status = held.status
                await held.send_part(_marked(self.send), keep)
                await self.line.close()
            case faults.Delay(when=faults.When.AFTER):
                await asyncio.sleep(fault.seconds)
                await self._send(held)
            case faults.Answer():
                await self._send(_other(fault))
            case faults.Garble():
                await self._send(held.with_body(fault.body.encode()))
            case faults.JobStatus():
                await self._send(held.with_body(with_job_status(held.body, fault, self.house.now())))
            case _:
                await self._send(held)

    async def _carried_out(self) -> Held:
        held = await Held.of(self.house.app, self.scope, self.receive)
        self.seen.answered = held.status
        return held

    async def _send(self, held: Held) -> None:
        self.seen.status = held.status
        await held.send(_marked(self.send))


def _marked(send: Send) -> Send:
    """Every answer says where it comes from."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), MARK]}
        await send(message)

    return sending


def _noted(send: Send, seen: Seen) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.answered = seen.status = message["status"]
        await send(message)

    return sending


async def _looked_at(receive: Receive) -> tuple[bytes, Receive]:
    """The body, or what came of it up to the bound, and a `receive` that gives it again and then goes on."""
    read: list[Message] = []
    body = b""
    while len(body) < MOST_BODY:
        message = await receive()
        read.append(message)
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    again = iter(read)

    async def receiving() -> Message:
        return next(again, None) or await receive()

    return body[:MOST_BODY], receiving


def _other(fault: faults.Answer) -> Held:
    """The answer that was ordered."""
    told = fault.body
    if told is None:
        phrase = HTTPStatus(fault.status).phrase if fault.status in set(HTTPStatus) else str(fault.status)
        told = {"Message": f"Rehearsal: {phrase}"}
    kind, text = ("text/html", told) if isinstance(told, str) else ("application/json", json.dumps(told))
    body = b"" if fault.status == HTTPStatus.NO_CONTENT else text.encode()
    headers = {"Content-Type": kind, **fault.headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return Held({"type": "http.response.start", "status": fault.status, "headers": raw}).with_body(body)
