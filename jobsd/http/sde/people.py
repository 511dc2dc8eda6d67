"""The people of the face: the users of the configuration, and the one who stands for the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from config import definitions as config
from config.definitions import Configuration, Scope
from jobsd.http.sde import callers
from jobsd.http.sde.errors import Answer
from jobsd.http.sde.rights import role_of
from jobsd.http.sde.routes import Address, Call
from runners.sde.wire import Role, User

BOT = "no-reply+admin@localhost"
"""Who runs what a frequency fires."""


@dataclass(frozen=True, slots=True)
class People:
    """All of them, by e-mail."""

    known: Mapping[str, User]

    @classmethod
    def of(cls, configuration: Configuration, since: datetime | None = None) -> People:
        """Those of this configuration; ids count from 1 in its order, the bot comes last.

        `since` is when they were first heard of, as far as this daemon knows: its start. Of several with one
        e-mail the first is meant.
        """
        found: dict[str, User] = {}
        for number, user in enumerate(configuration.users, 1):
            found.setdefault(callers.email_of(user), _user(number, user, since))
        bot = User(
            id=len(configuration.users) + 1,
            email=BOT,
            first_name="SD Elements",
            last_name="Service-Bot",
            date_joined=since,
            is_active=False,
            is_superuser=True,
            role=Role("UR5", "No Role"),
        )
        return cls({BOT: bot, **found})

    def person(self, email: str | None) -> User | str | None:
        """Whole where the user is known; the e-mail of one that is gone; None for nobody."""
        return None if email is None else self.known.get(email, email)


def _user(number: int, user: config.User, since: datetime | None) -> User:
    return User(
        id=number,
        email=callers.email_of(user),
        first_name=user.name,
        date_joined=since,
        is_superuser=user.scope is Scope.ADMIN,
        role=Role(*role_of(user)),
    )


async def me(call: Call) -> Response:
    """Whoever calls: that user, also where others have the same e-mail."""
    names, caller = [user.name for user in call.service.configuration.users], call.caller.user
    number = names.index(caller.name) if caller.name in names else len(names)  # a reload has just taken it away
    return Answer(_user(number + 1, caller, call.service.started_at).wire())


ADDRESSES = (Address("users/me", "User", {"GET": me}),)
