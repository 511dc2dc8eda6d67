"""Kernel settings and mounts of crafted hosts: collected and judged by real processes."""

import pytest


@pytest.fixture
def judged(me, host):
    """Craft a host, collect an aspect and evaluate it: {check: (result, message)} of both standards."""

    def judge(aspect, files, user=me, change=lambda _: None):
        root = host({"/etc/passwd": "", **files})
        change(root)
        data = user.collect(aspect, root).out
        return user.evaluate("baseline", data).verdicts | user.evaluate("hardening", data).verdicts

    return judge


def test_weak_setting_fails_with_the_line_to_write(judged):
    """A setting of the wrong value names it, its danger, and the line for /etc/sysctl.d."""
    found = judged("kernel", {"/proc/sys/kernel/randomize_va_space": "0\n"})
    result, message = found["kernel.addresses-randomised"]
    assert result == "fail"
    assert message.startswith("kernel.randomize_va_space is 0: known addresses")
    assert "write kernel.randomize_va_space=2 into" in message


def test_one_of_several_settings_fails(judged):
    """Of a rule's settings only those that are wrong are named; one of several good values passes."""
    files = {"/proc/sys/kernel/dmesg_restrict": "1\n", "/proc/sys/kernel/kptr_restrict": "0\n"}
    message = judged("kernel", files)["kernel.log-and-pointers-hidden"][1]
    assert "kernel.kptr_restrict is 0" in message
    assert "dmesg_restrict" not in message
    assert judged("kernel", {"/proc/sys/net/ipv4/tcp_syncookies": "2\n"})["kernel.syn-cookies"][0] == "pass"


def test_missing_setting_does_not_apply(judged):
    """A kernel built without a setting is not blamed for it."""
    assert judged("kernel", {})["kernel.no-foreign-memory"][0] == "notapplicable"


def test_hidden_setting_is_unknown(judged, ordinary):
    """A setting that this user may not read is unknown."""
    path = "/proc/sys/kernel/unprivileged_bpf_disabled"
    found = judged("kernel", {path: "2\n"}, ordinary, lambda root: (root / path.lstrip("/")).chmod(0))
    assert found["kernel.no-unprivileged-bpf"][0] == "unknown"


def test_vulnerable_processor_fails(judged):
    """What the kernel calls vulnerable is named; what is mitigated is not."""
    folder = "/sys/devices/system/cpu/vulnerabilities"
    found = judged("kernel", {f"{folder}/retbleed": "Vulnerable\n", f"{folder}/spectre_v1": "Mitigation: x\n"})
    result, message = found["kernel.processor"]
    assert result == "fail"
    assert "retbleed (Vulnerable)" in message
    assert "spectre" not in message


def test_missing_mount_option_fails_with_remount(judged):
    """A mount without an option names the point, the option, and how to remount."""
    found = judged("mounts", {"/proc/1/mounts": "tmpfs /dev/shm tmpfs rw,nosuid 0 0\n"})
    result, message = found["mounts.shared-memory"]
    assert result == "fail"
    assert "/dev/shm is mounted without nodev" in message
    assert "mount -o remount,nodev /dev/shm" in message


def test_last_of_several_mounts_counts(judged):
    """Of several mounts on one point the last covers the others."""
    lines = "tmpfs /dev/shm tmpfs rw 0 0\ntmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0\n"
    assert judged("mounts", {"/proc/1/mounts": lines})["mounts.shared-memory"][0] == "pass"


def test_own_mounts_where_the_hosts_are_hidden(judged):
    """Where process 1 cannot be asked, this process's own mounts are taken."""
    found = judged("mounts", {"/proc/self/mounts": "tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0\n"})
    assert found["mounts.shared-memory"][0] == "pass"


def test_no_mounts_at_all_are_unknown(judged):
    """A host whose mounts cannot be read is unknown."""
    assert {result for result, _ in judged("mounts", {}).values()} == {"unknown"}


def test_tmp_must_be_a_mount_when_hardened(judged):
    """A hardened host has a file system of its own at /tmp; its octal escapes are understood."""
    found = judged("mounts", {"/proc/1/mounts": "/dev/sdb1 /a\\040b ext4 rw 0 0\n"})
    assert found["mounts.tmp"][0] == "fail"


def test_full_file_system_fails(me):
    """A writable file system that is nearly full of data or of files is named; a read-only one is meant to be full."""
    full = {"point": "/var", "type": "ext4", "options": ["rw"], "space": 99, "inodes": 10}
    image = full | {"point": "/snap/x", "options": ["ro"], "space": 100}
    files = full | {"point": "/srv", "space": 10, "inodes": 100}
    verdicts = me.evaluate("baseline", {"aspect": "mounts", "mounts": [full, image, files]}).verdicts
    result, message = verdicts["mounts.space-left"]
    assert result == "fail"
    assert "/var (space 99 %), /srv (inodes 100 %)" in message
    assert "/snap/x" not in message
