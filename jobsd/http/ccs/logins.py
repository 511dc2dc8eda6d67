"""Checking passwords: beside the event loop, few at once, and the slower the more often it was wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import structlog

from config.definitions import User
from config.passwords import NOBODY, verify_password
from jobsd.http.ccs.errors import Turned
from runners.ccs.wire import PasswordGrant
from runners.ccs.wire.faults import clean
from scheduler.clock import stopwatch

AT_ONCE = 2
"""Hashes computed at the same time: each takes 32 MiB."""

WAITING = 256
"""Logins that may wait; more are turned away."""

DELAYED = 16
"""Users and addresses of which a login may sit out its delay."""

QUEUED = 4
"""Logins of one of these that may wait; more are turned away, so that guessing keeps nobody else out."""

FREE = 3
"""Wrong passwords of a user from an address that cost no time."""

FIRST_S, MOST_S = 0.5, 15.0
"""The delay after them, doubled each time, up to this."""

FORGOTTEN_S = 900.0
"""After so long without a wrong one, all is forgotten."""

REMEMBERED = 4096
"""Users and addresses that are remembered; the oldest go first."""

_log = structlog.get_logger()


@dataclass(slots=True)
class _Record:
    """The failures of one user from one address; one login of these is looked at at a time."""

    waiting: int = 0
    failures: int = 0
    failed_at: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def owed_s(self) -> float:
        """Seconds until the next password may be looked at."""
        if stopwatch() - self.failed_at > FORGOTTEN_S:
            self.failures = 0
        if self.failures < FREE:
            return 0.0
        delay = min(FIRST_S * 2.0 ** min(self.failures - FREE, 16), MOST_S)
        return max(0.0, self.failed_at + delay - stopwatch())


class Logins:
    """All logins of one face; belongs to its event loop."""

    def __init__(self) -> None:
        self._records: OrderedDict[tuple[str, str], _Record] = OrderedDict()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting = self._delayed = 0

    async def user_of(self, grant: PasswordGrant, users: Iterable[User], address: str) -> User | None:
        """The user who logs in; None for a wrong name or password, which take the same time.

        Raises Turned (503) where too many wait already.
        """
        if self._waiting >= WAITING:
            raise Turned(503, "too many logins at once: try again later")
        record = self._record(grant.username.casefold(), address)
        self._check(record, record.waiting + 1)
        self._waiting += 1
        record.waiting += 1
        try:
            async with record.turn:
                await self._sit_out(record)
                return await self._looked_at(grant, users, address, record)
        finally:
            self._waiting -= 1
            record.waiting -= 1

    def owed_s(self, name: str, address: str) -> float:
        """Seconds that a login of this user from this address would sit out now, for wrong passwords."""
        record = self._records.get((name.casefold(), address))
        return 0.0 if record is None else record.owed_s()

    def _check(self, record: _Record, waiting: int) -> None:
        """Raise Turned (503) where others sit out their delay already."""
        if record.owed_s() and (waiting > QUEUED or self._delayed >= DELAYED):
            raise Turned(503, "too many wrong logins: try again later")

    async def _sit_out(self, record: _Record) -> None:
        """Wait for what is owed for wrong passwords. Raises Turned (503)."""
        self._check(record, record.waiting)
        if not (owed := record.owed_s()):
            return
        self._delayed += 1
        try:
            await asyncio.sleep(owed)
        finally:
            self._delayed -= 1

    async def _looked_at(
        self, grant: PasswordGrant, users: Iterable[User], address: str, record: _Record
    ) -> User | None:
        name = grant.username.casefold()
        user = next((user for user in users if user.name.casefold() == name), None)
        known = None if user is None else user.password_hash
        async with self._room:
            fits = await asyncio.to_thread(_fits, grant, known or NOBODY)
        if fits and known is not None:
            record.failures = 0
            _log.info("login_succeeded", user=clean(grant.username), address=address)
            return user
        record.failures += 1
        record.failed_at = stopwatch()
        _log.warning("login_failed", user=clean(grant.username), address=address, failures=record.failures)
        return None

    def _record(self, name: str, address: str) -> _Record:
        record = self._records.setdefault((name, address), _Record())
        self._records.move_to_end((name, address))
        while len(self._records) > REMEMBERED:
            self._records.popitem(last=False)
        return record


def _fits(grant: PasswordGrant, known: str) -> bool:
    """Whether one reading of the password is right; all are tried, whichever fits."""
    fitting = [reading for reading in _readings(grant) if verify_password(reading, known)]
    return bool(fitting)


def _readings(grant: PasswordGrant) -> Iterator[str]:
    """As it came; what it is if nothing in it was encoded, if it is Base64, if a form's plus is a space."""
    password = grant.password
    yield password
    if grant.unencoded is not None:
        yield grant.unencoded
    with contextlib.suppress(ValueError):
        yield base64.b64decode(password, validate=True).decode()
    if "+" in password:
        yield password.replace("+", " ")
