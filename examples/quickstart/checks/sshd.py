"""Judge the SSH server's configuration."""

from __future__ import annotations

from typing import Any

from .verdict import Verdict, failed, not_applicable, passed


def setting(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """`keyword` has a value of `allowed`, or a number up to `at_most`; `default` is sshd's own."""
    if not data["installed"]:
        return not_applicable("no SSH server is configured here (no /etc/ssh/sshd_config)")
    found = data["settings"].get(rule["keyword"].lower())
    value = found["value"] if found else rule["default"]
    where = f"{found['place']}" if found else "not set, sshd's default"
    if "at_most" in rule:
        good, wanted = int(value) <= rule["at_most"], str(rule["at_most"])
    else:
        good, wanted = value.lower() in rule["allowed"], rule["allowed"][0]
    # Match blocks set other values for some users or hosts; this rule speaks of the rest.
    besides = f" (and {data['matches']} Match blocks, not judged)" if data["matches"] else ""
    text = f"{rule['keyword']} is {value} ({where}){besides}"
    if good:
        return passed(text)
    return failed(
        f"{text}: {rule['why']}", f"{rule['keyword']} {wanted} in /etc/ssh/sshd_config, systemctl reload ssh"
    )


KINDS = {"setting": setting}
