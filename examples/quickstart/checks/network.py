"""Judge listening ports. A port on a loopback address reaches nobody else and is left out."""

from __future__ import annotations

import ipaddress
from typing import Any

from .verdict import Verdict, count, failed, listed, passed, unknown


def closed(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """None of `ports` ("tcp/23" -> what it is) is open to other hosts."""
    found = [one for one in _public(data) if _key(one) in rule["ports"]]
    if found:
        named = [f"{rule['ports'][_key(one)]} at {_shown(one)}" for one in found]
        return failed(f"{rule['why']}: {listed(named)}", rule["do"])
    return _unless_missing(data, "none of these is open to other hosts: " + ", ".join(rule["ports"].values()))


def only(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """Nothing but `ports` ("tcp/22") is open to other hosts."""
    found = [one for one in _public(data) if _key(one) not in rule["ports"]]
    if found:
        shown = listed([_shown(one) for one in found])
        do = "stop the service, bind it to 127.0.0.1, or add the port to this rule"
        return failed(
            f"{count(len(found), 'port')} open to other hosts beyond {', '.join(rule['ports'])}: {shown}", do
        )
    return _unless_missing(
        data, f"open to other hosts: {listed([_shown(one) for one in _public(data)]) or 'nothing'}"
    )


def _unless_missing(data: dict[str, Any], message: str) -> Verdict:
    if data["missing"]:
        return unknown(f"could not read /proc/net/{', /proc/net/'.join(data['missing'])}")
    return passed(message)


def _public(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Sockets that other hosts can reach, each address and port once."""
    once = {(_key(one), one["address"]): one for one in data["sockets"]}
    return [one for one in once.values() if not ipaddress.ip_address(one["address"]).is_loopback]


def _key(one: dict[str, Any]) -> str:
    return f"{one['protocol']}/{one['port']}"


def _shown(one: dict[str, Any]) -> str:
    address = f"[{one['address']}]" if ":" in one["address"] else one["address"]
    return f"{one['protocol']} {address}:{one['port']} ({one['program'] or 'a program'} of {one['user']})"


KINDS = {"closed": closed, "only": only}
