"""Who may do what: everybody reads; params and changes need a permission of their kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from config.definitions import Permission, Scope, User
from jobsd.http.access import RANK
from runners.sde.wire import Kind

EDIT: Mapping[Kind, Permission] = MappingProxyType(
    {
        Kind.ALM: Permission.EDIT_ALM_CONNECTIONS,
        Kind.ANALYSIS: Permission.EDIT_VERIFICATION_CONNECTIONS,
        Kind.LDAP: Permission.EDIT_LDAP_CONNECTIONS,
    }
)
"""What one needs to see the params of connectors and connections, and to make, change and test them."""


def may_edit(user: User, kind: Kind) -> bool:
    """Whether the user sees params of this kind and changes its connectors and connections."""
    return EDIT[kind] in user.permissions


def may_see(user: User, kind: Kind) -> bool:
    """Whether the user sees params in jobs of this kind: the vendor shows LDAP's to editors of verification."""
    shown = kind is Kind.LDAP and Permission.EDIT_VERIFICATION_CONNECTIONS in user.permissions
    return shown or may_edit(user, kind)


def may_post(user: User, kind: Kind | None) -> bool:
    """Whether the user initiates jobs of this kind, posts results and imports files; None: of any kind."""
    if RANK[user.scope] >= RANK[Scope.CONTROL]:
        return True
    return any(may_edit(user, one) for one in (EDIT if kind is None else (kind,)))


def role_of(user: User) -> tuple[str, str]:
    """Id and name of the user's role, by scope."""
    return {
        Scope.VIEW: ("UR1", "Viewer"),
        Scope.CONTROL: ("UR3", "Operator"),
        Scope.ADMIN: ("UR4", "Administrator"),
    }[user.scope]
