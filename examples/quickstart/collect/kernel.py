#!/usr/bin/env python3
"""Collect kernel settings (/proc/sys), and what the kernel says about the processor's vulnerabilities."""

from __future__ import annotations

from typing import Any

from host import Host, main, unreadable

SETTINGS = (
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "kernel.dmesg_restrict",
    "kernel.kptr_restrict",
    "kernel.randomize_va_space",
    "kernel.sysrq",
    "kernel.unprivileged_bpf_disabled",
    "kernel.yama.ptrace_scope",
    "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.all.accept_source_route",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.send_redirects",
    "net.ipv4.ip_forward",
    "net.ipv4.tcp_syncookies",
    "net.ipv6.conf.all.accept_redirects",
)
VULNERABILITIES = "/sys/devices/system/cpu/vulnerabilities"


def collect(host: Host) -> dict[str, Any]:
    """Settings by name: a text, None where the kernel has none of that name, or why it could not be read."""
    vulnerabilities = host.path(VULNERABILITIES)
    names = sorted(path.name for path in vulnerabilities.iterdir()) if vulnerabilities.is_dir() else []
    return {
        "settings": {name: value(host, "/proc/sys/" + name.replace(".", "/")) for name in SETTINGS},
        "vulnerabilities": {name: value(host, f"{VULNERABILITIES}/{name}") for name in names},
    }


def value(host: Host, path: str) -> str | dict[str, str] | None:
    """The content of a one-line file."""
    try:
        return " ".join(host.lines(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        return unreadable(error)


if __name__ == "__main__":
    main(collect)
