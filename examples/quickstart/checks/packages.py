"""Judge pending package updates."""

from __future__ import annotations

from typing import Any

from .verdict import Verdict, count, failed, listed, not_applicable, passed, unknown

APPLY = {"apt": "apt-get upgrade", "dnf": "dnf upgrade"}


def security(data: dict[str, Any], _: dict[str, Any]) -> Verdict:
    """No security update is pending."""
    return _pending(data, [one for one in data.get("updates", []) if one["security"]], "security update", 0)


def pending(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """No more than `at_most` updates of any kind are pending."""
    return _pending(data, data.get("updates", []), "update", rule["at_most"])


def _pending(data: dict[str, Any], updates: list[dict[str, Any]], thing: str, at_most: int) -> Verdict:
    if data["manager"] is None:
        return not_applicable("no package manager that this collector knows (apt, dnf)")
    if len(updates) > at_most:
        names = [f"{one['name']} {one['available']}" for one in updates]
        return failed(f"{count(len(updates), thing)} pending: {listed(names)}", APPLY[data["manager"]])
    if data["lists_age_days"] is None:
        return unknown(f"this host has no package lists to judge by. Do: {data['refresh']}")
    return passed(f"{count(len(updates), thing)} pending by lists of {_age(data)}")


def lists_age(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """The lists by which updates are judged are no older than `at_most` days."""
    if data["manager"] is None:
        return not_applicable("no package manager that this collector knows (apt, dnf)")
    if data["lists_age_days"] is None:
        return failed("this host never fetched its package lists: updates go unnoticed", data["refresh"])
    if data["lists_age_days"] > rule["at_most"]:
        return failed(
            f"package lists are of {_age(data)}, at most {rule['at_most']} days are allowed", data["refresh"]
        )
    return passed(f"package lists are of {_age(data)}")


def reboot(data: dict[str, Any], _: dict[str, Any]) -> Verdict:
    """No update waits for a reboot to take effect."""
    if data["reboot_required"]:
        return failed(
            f"an update waits for a reboot ({data['reboot_required']})", "systemctl reboot at the next occasion"
        )
    return passed("no reboot is due")


def _age(data: dict[str, Any]) -> str:
    days = data["lists_age_days"]
    if days * 24 < 1:
        return "less than an hour ago"
    return f"{days:.0f} days ago" if days >= 2 else f"{days * 24:.0f} hours ago"


KINDS = {"security": security, "pending": pending, "lists-age": lists_age, "reboot": reboot}
