"""One try at one delivery, by its kind, with what the configuration in force says."""

from __future__ import annotations

from collections.abc import Callable

from config.definitions import Configuration, JobDefinition
from jobsd.notify import mail, webhook
from runners.api import Clock
from scheduler.ledger.deliveries import MAIL, WEBHOOK, Delivery
from scheduler.outbox import Note, Refused, Result


class Postman:
    """The courier's `Deliver`. Passwords and tokens are read at each try, so a new one needs no restart."""

    def __init__(
        self,
        configuration: Callable[[], Configuration],
        definition: Callable[[str], JobDefinition | None],
        clock: Clock,
    ) -> None:
        """`configuration` and `definition` (by a job's name) give what is in force now."""
        self._configuration = configuration
        self._definition = definition
        self._clock = clock

    async def __call__(self, delivery: Delivery, note: Note) -> Result:
        """Make one try."""
        del note
        if delivery.kind == MAIL:
            configuration = self._configuration()
            return await mail.send(delivery, configuration.settings.smtp, configuration.folder)
        if delivery.kind == WEBHOOK:
            job = None if delivery.job is None else self._definition(delivery.job)
            return await webhook.send(delivery, job, now=self._clock.now())
        return Refused(f"this version does not know deliveries of the kind {delivery.kind}")
