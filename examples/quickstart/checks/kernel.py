"""Judge kernel settings, and what the kernel says about its processor."""

from __future__ import annotations

from typing import Any

from .verdict import Verdict, failed, listed, not_applicable, passed, unknown


def setting(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """Every setting of `settings` has one of its values; the first is the one to set."""
    seen = {name: data["settings"].get(name) for name in rule["settings"]}
    present = {name: value for name, value in seen.items() if value is not None}
    if not present:
        return not_applicable(f"this kernel has no {' or '.join(seen)}")
    values = {name: value for name, value in present.items() if isinstance(value, str)}
    bad = [name for name, value in values.items() if value not in rule["settings"][name]]
    if bad:
        what = listed([f"{name} is {values[name]}" for name in bad])
        do = listed([f"{name}={rule['settings'][name][0]}" for name in bad])
        return failed(f"{what}: {rule['why']}", f"write {do} into a file of /etc/sysctl.d, then sysctl --system")
    if len(values) < len(present):
        return unknown(f"could not read {', '.join(sorted(present.keys() - values.keys()))}")
    return passed(listed([f"{name} is {value}" for name, value in values.items()]))


def vulnerabilities(data: dict[str, Any], rule: dict[str, Any]) -> Verdict:
    """The kernel calls the processor vulnerable to nothing, but for `except`."""
    seen = {name: value for name, value in data["vulnerabilities"].items() if name not in rule["except"]}
    if not seen:
        return not_applicable("this kernel does not report on its processor")
    bad = [f"{name} ({value})" for name, value in seen.items() if str(value).startswith("Vulnerable")]
    if bad:
        do = "update kernel and microcode, remove mitigations=off; in a virtual machine, ask its host's operator"
        return failed(f"the processor is open to {listed(bad)}", do)
    return passed(f"{len(seen)} weaknesses of processors: not affected, or mitigated")


KINDS = {"setting": setting, "vulnerabilities": vulnerabilities}
