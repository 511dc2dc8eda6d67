"""Pending updates: by the real apt from a repository in a crafted host, and crafted data judged."""

import hashlib
import os
import shutil
import subprocess

import pytest

NEVER = {"aspect": "packages", "manager": "apt", "refresh": "apt-get update", "reboot_required": None}


@pytest.fixture
def apt_host(host):
    """A host with `thing` 1.0 installed, and a repository of this suite that has `thing` 1.1; apt has fetched it."""
    if shutil.which("apt-get") is None:
        pytest.skip("there is no apt here")

    def craft(suite, available="1.1"):
        package = "Package: thing\nArchitecture: all\nMaintainer: x\nDescription: x\n"
        listed = f"{package}Version: {available}\nFilename: ./thing.deb\nSize: 1\nSHA256: {'0' * 64}\n\n"
        digest = hashlib.sha256(listed.encode()).hexdigest()
        root = host(
            {
                "/var/lib/dpkg/status": f"{package}Status: install ok installed\nVersion: 1.0\n\n",
                "/var/lib/apt/lists/partial/x": "",
                "/var/cache/apt/archives/partial/x": "",
                "/etc/apt/apt.conf.d/x": "",
                "/etc/apt/preferences.d/x": "",
                "/repository/Packages": listed,
                "/repository/Release": f"Suite: {suite}\nSHA256:\n {digest} {len(listed)} Packages\n",
            }
        )
        (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{root}/repository ./\n")
        fetch = ["apt-get", "update", "-o", f"Dir={root}", "-o", f"Dir::State::status={root}/var/lib/dpkg/status"]
        done = subprocess.run(
            [*fetch, "-o", "APT::Sandbox::User="], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return root

    return craft


@pytest.mark.parametrize(("suite", "result"), [("stable-security", "fail"), ("stable", "pass")])
def test_real_apt_finds_updates(me, apt_host, suite, result):
    """An update of a security suite fails the baseline, any update fails the hardened standard."""
    data = me.collect("packages", apt_host(suite)).out
    baseline, hardening = me.evaluate("baseline", data).verdicts, me.evaluate("hardening", data).verdicts
    assert baseline["packages.no-security-updates"][0] == result
    assert baseline["packages.lists-fresh"][0] == "pass"
    assert hardening["packages.up-to-date"] == ("fail", "1 update pending: thing 1.1. Do: apt-get upgrade")


def test_nothing_pending_passes(me, apt_host):
    """A host that is up to date passes, and the message says how old the lists are that it was judged by."""
    data = me.collect("packages", apt_host("stable-security", "1.0")).out
    verdicts = me.evaluate("baseline", data).verdicts
    assert verdicts["packages.no-security-updates"] == (
        "pass",
        "0 security updates pending by lists of less than an hour ago",
    )


def test_collection_writes_nothing(me, apt_host):
    """Apt is asked without a lock, a cache or any other file being written."""
    root = apt_host("stable")
    for cache in (root / "var/cache/apt").glob("*.bin"):
        cache.unlink()
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert me.collect("packages", root).code == 0
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_old_lists_fail_with_refresh(me, apt_host):
    """Lists that nobody refreshed for weeks fail, with the command that does."""
    root = apt_host("stable")
    for path in (root / "var/lib/apt/lists", root / "var/lib/apt/lists/partial"):
        stamp = path.stat().st_mtime - 30 * 86400
        os.utime(path, (stamp, stamp))
    result, message = me.evaluate("baseline", me.collect("packages", root).out).verdicts["packages.lists-fresh"]
    assert (result, message) == (
        "fail",
        "package lists are of 30 days ago, at most 7 days are allowed. Do: apt-get update",
    )


def test_host_that_never_fetched_lists_is_unknown(me):
    """Without any list nothing pending means nothing: unknown, and the missing lists are a failure."""
    verdicts = me.evaluate("baseline", NEVER | {"lists_age_days": None, "updates": []}).verdicts
    assert verdicts["packages.no-security-updates"][0] == "unknown"
    assert verdicts["packages.lists-fresh"][0] == "fail"


def test_silent_package_manager_is_unknown(me):
    """A package manager that gave no answer makes the checks unknown, with what it said."""
    verdicts = me.evaluate(
        "baseline", NEVER | {"lists_age_days": 1, "unreadable": "apt failed (100): E: …"}
    ).verdicts
    assert verdicts["packages.no-security-updates"][0] == "unknown"
    assert "apt failed (100)" in verdicts["packages.no-security-updates"][1]


def test_pending_reboot_fails(me, host):
    """An update that waits for a reboot fails, with the file that says so."""
    root = host({"/run/reboot-required": "*** System restart required ***\n"})
    result, message = me.evaluate("baseline", me.collect("packages", root).out).verdicts["packages.no-reboot-due"]
    assert result == "fail"
    assert "/run/reboot-required" in message


def test_no_package_manager_does_not_apply(me, host):
    """A host without a package manager that we know is not blamed for updates."""
    verdicts = me.evaluate("baseline", me.collect("packages", host({"/etc/hostname": "x"})).out).verdicts
    assert verdicts["packages.no-security-updates"][0] == "notapplicable"
    assert verdicts["packages.lists-fresh"][0] == "notapplicable"


def test_dnf_output_is_read(me, tmp_path):
    """Of dnf's two lists one is made: what stands in the security list too is a security update, no obsolete is one."""
    kernel, vim = "kernel.x86_64   6.1.2-1.fc40   updates", "vim.x86_64   9.1-1.fc40   updates"
    dnf = tmp_path / "bin/dnf"
    dnf.parent.mkdir()
    dnf.write_text(
        f"""#!/bin/sh
[ "$1 $2 $3" = "--quiet --cacheonly check-update" ] || exit 1
echo; echo "{kernel}"
[ "$4" = --security ] || printf '%s\\nObsoleting Packages\\na b c\\n' "{vim}"
exit 100
"""
    )
    dnf.chmod(0o755)
    folder = me.examples / "quickstart/collect"
    script = f"import sys, json; sys.path.insert(0, {str(folder)!r}); import packages; print(json.dumps(packages.dnf(None)))"
    updates = me.run([me.python, "-c", script], path=f"{dnf.parent}:/usr/bin:/bin").data
    assert [(one["name"], one["available"], one["security"]) for one in updates] == [
        ("kernel", "6.1.2-1.fc40", True),
        ("vim", "9.1-1.fc40", False),
    ]
