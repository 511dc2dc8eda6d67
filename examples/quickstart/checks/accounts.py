"""Judge accounts: passwords, numbers, shells and home folders."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .verdict import AS_ROOT, Verdict, count, failed, listed, passed, unknown

EMPTY = "empty"  # the kind of password that is none
NO_LOGIN = ("nologin", "false", "sync", "shutdown", "halt")


def empty_password(data: dict[str, Any], _: dict[str, Any]) -> Verdict:
    """No account opens to its name alone."""
    names = [one["name"] for one in data["accounts"] if one["password"] == EMPTY]
    if names:
        return failed(f"no password is needed for {listed(names)}", "passwd --lock NAME, or set a password")
    return _unless_hidden(data, f"none of {count(len(data['accounts']), 'account')} has an empty password")


def hashes(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """Passwords are hashed by a method of `allowed`."""
    good = {*rule["allowed"], "locked", EMPTY, None}
    weak = [f"{one['name']} ({one['password']})" for one in data["accounts"] if one["password"] not in good]
    if weak:
        method = rule["allowed"][0].upper()
        return failed(
            f"weakly hashed: {listed(weak)}", f"ENCRYPT_METHOD {method} in /etc/login.defs, then new passwords"
        )
    return _unless_hidden(data, f"every password is hashed by {' or '.join(rule['allowed'])}")


def _unless_hidden(data: dict[str, Any], message: str) -> Verdict:
    """Pass, unless an account's password stands in a file that this user may not read."""
    hidden = [one for one in data["accounts"] if one["password"] is None]
    if hidden:
        why = data["shadow"]["unreadable"]
        return unknown(f"{count(len(hidden), 'password')} in /etc/shadow could not be judged: {why}. {AS_ROOT}")
    return passed(message)


def uid_0(data: dict[str, Any], _: dict[str, Any]) -> Verdict:
    """Only root is root."""
    names = [one["name"] for one in data["accounts"] if one["uid"] == 0 and one["name"] != "root"]
    if names:
        return failed(
            f"UID 0, all of root's power, is also {listed(names)}", "find out who made it; then userdel NAME"
        )
    return passed("only root has UID 0")


def unique(data: dict[str, Any], _: dict[str, Any]) -> Verdict:
    """No two accounts share a name or a number."""
    faults = []
    for key, word in (("name", "name"), ("uid", "UID")):
        for value, times in Counter(one[key] for one in data["accounts"]).items():
            if times > 1 and value != 0:  # a second UID 0 is a fault of its own
                owners = [one["name"] for one in data["accounts"] if one[key] == value]
                faults.append(f"{word} {value}: {', '.join(owners)}")
    if faults:
        return failed(f"used more than once: {listed(faults)}", "usermod --uid NEW NAME; pwck shows more")
    return passed(f"{count(len(data['accounts']), 'account')}, every name and every UID once")


def well_formed(data: dict[str, Any], _: dict[str, Any]) -> Verdict:
    """Every line of /etc/passwd has seven fields and a numeric UID (so no NIS entry such as `+::::::`)."""
    if data["malformed"]:
        return failed(
            f"/etc/passwd has malformed lines: {listed(data['malformed'])}", "vipw, and mend or remove them"
        )
    return passed("every line of /etc/passwd is well-formed")


def service_shells(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """Accounts with a UID below `below` (root aside, and those in `except`) have no shell to log in with."""
    service = [
        one for one in data["accounts"] if 0 < one["uid"] < rule["below"] and one["name"] not in rule["except"]
    ]
    able = [f"{one['name']} ({one['shell']})" for one in service if not one["shell"].endswith(NO_LOGIN)]
    if able:
        return failed(
            f"service accounts that could log in: {listed(able)}", "usermod --shell /usr/sbin/nologin NAME"
        )
    return passed(f"none of {count(len(service), 'service account')} has a login shell")


def homes(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """Home folders of people (UID `from` and above, root too) have no bit beyond `mode`, and their own owner."""
    people = [one for one in data["accounts"] if one["uid"] == 0 or rule["from"] <= one["uid"] < rule["to"]]
    found = [one for one in people if one["home"].get("folder")]
    limit = int(rule["mode"], 8)
    faults = [
        f"{one['home']['path']} is {one['home']['mode']}"
        for one in found
        if int(one["home"]["mode"], 8) & 0o777 & ~limit
    ]
    faults += [
        f"{one['home']['path']} of {one['name']} belongs to {one['home']['owner']}"
        for one in found
        if one["home"]["owner"] not in {one["name"], "root"}
    ]
    if faults:
        return failed(listed(faults), f"chmod {rule['mode']} HOME, chown NAME HOME")
    hidden = [one["home"]["path"] for one in people if "unreadable" in one["home"]]
    if hidden:
        return unknown(f"could not look at {listed(hidden)}. {AS_ROOT}")
    return passed(f"{count(len(found), 'home folder')}, none more open than {rule['mode']}")


KINDS = {
    "empty-password": empty_password,
    "hashes": hashes,
    "uid-0": uid_0,
    "unique": unique,
    "well-formed": well_formed,
    "service-shells": service_shells,
    "homes": homes,
}
