"""Users: an e-mail, a number, or, expanded, an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runners.sde.wire.answers import Answer
from runners.sde.wire.moments import format_moment


@dataclass(frozen=True, slots=True)
class Role:
    """What a user may do, by the server's own names; the id such as UR4."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, as `users/me/` and an expanded field have it.

    Attributes:
        groups: As they came; their shape is not documented.
    """

    id: int
    email: str
    first_name: str = ""
    last_name: str = ""
    last_login: datetime | None = None
    date_joined: datetime | None = None
    is_active: bool = True
    is_superuser: bool = False
    role: Role | None = None
    groups: tuple[Any, ...] = ()
    password_reset_in_progress: bool = False

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {
            "id": self.id,
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "last_login": format_moment(self.last_login),
            "date_joined": format_moment(self.date_joined),
            "is_active": self.is_active,
            "is_superuser": self.is_superuser,
            "role": None if self.role is None else {"id": self.role.id, "name": self.role.name},
            "groups": list(self.groups),
            "password_reset_in_progress": self.password_reset_in_progress,
        }


Person = str | int | User
"""How a job names a user: by e-mail, by number, or whole."""


def parse_user(answer: object) -> User:
    """A user; what is not known in it is ignored.

    Raises:
        WireFaults: It is no object, its id or e-mail is missing or wrong, or a field is of another type.
    """
    fields = Answer.of_message(answer)
    user = read_user(fields)
    fields.settle()
    return user


def read_user(fields: Answer) -> User:
    """A user; of use only where no fault was noted."""
    role = fields.within("role")
    groups = fields.value("groups")
    return User(
        id=fields.key("id", required=True) or 0,
        email=fields.text("email", required=True) or "",
        first_name=fields.text("first_name") or "",
        last_name=fields.text("last_name") or "",
        last_login=fields.moment("last_login"),
        date_joined=fields.moment("date_joined"),
        is_active=fields.flag("is_active") is not False,
        is_superuser=bool(fields.flag("is_superuser")),
        role=None if role is None else Role(role.text("id") or "", role.text("name") or ""),
        groups=tuple(groups) if isinstance(groups, list) else (),
        password_reset_in_progress=bool(fields.flag("password_reset_in_progress")),
    )


def read_person(fields: Answer, name: str) -> Person | None:
    """Whoever a field names, in any of the three ways."""
    value = fields.value(name)
    if isinstance(value, Mapping):
        inner = fields.within(name)
        return None if inner is None else read_user(inner)
    if isinstance(value, str):
        return fields.text(name)
    return fields.key(name, otherwise="must be an e-mail, a whole number or an object")


def email_of(person: Person | None) -> str | None:
    """The e-mail, where it is known."""
    return person.email if isinstance(person, User) else person if isinstance(person, str) else None


def wire_person(person: Person, *, expanded: bool) -> Any:
    """As a job has it: the e-mail, or the whole user; what is known as a number stays one."""
    if isinstance(person, User):
        return person.wire() if expanded else person.email
    return person
