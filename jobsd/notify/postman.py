"""One try at one delivery, by its kind, with what the configuration in force says."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from config.definitions import Configuration, JobDefinition
from jobsd.notify import heartbeat, mail, sde, webhook
from runners.api import Clock
from runners.sde.clients import Clients
from scheduler.ledger import Ledger, deliveries
from scheduler.ledger.deliveries import HEARTBEAT, MAIL, SDE_RESULT, WEBHOOK, Delivery
from scheduler.outbox import Note, Refused, Result


class Postman:
    """The courier's `Deliver`. Passwords and tokens are read at each try, so a new one needs no restart."""

    def __init__(
        self,
        configuration: Callable[[], Configuration],
        definition: Callable[[str], JobDefinition | None],
        clock: Clock,
        ledger: Ledger,
    ) -> None:
        """`configuration` and `definition` (by a job's name) give what is in force now; `ledger` is only read."""
        self._configuration = configuration
        self._definition = definition
        self._clock = clock
        self._ledger = ledger
        self._clients = Clients(os.environ)

    async def aclose(self) -> None:
        """Close the connections that were kept; nothing may be being sent."""
        await self._clients.aclose()

    async def __call__(self, delivery: Delivery, note: Note) -> Result:
        """Make one try."""
        if delivery.kind == MAIL:
            configuration = self._configuration()
            return await mail.send(delivery, configuration.settings.smtp, configuration.folder)
        if delivery.kind in {WEBHOOK, HEARTBEAT}:
            job = None if delivery.job is None else self._definition(delivery.job)
            send = webhook.send if delivery.kind == WEBHOOK else heartbeat.send
            return await send(delivery, job, now=self._clock.now())
        if delivery.kind == SDE_RESULT:
            return await sde.send(
                delivery, self._configuration(), self._clients, note=note, received=self._received
            )
        return Refused(f"this version does not know deliveries of the kind {delivery.kind}")

    async def _received(self, channel: str, above: int) -> frozenset[int]:
        """The SDE jobs that other results of a channel became."""
        return await self._ledger.aread(partial(deliveries.received, channel=channel, name=sde.JOB, above=above))
