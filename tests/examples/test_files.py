"""Sensitive files and what is under /etc, on crafted hosts: collected and judged by real processes."""

import os

import pytest

NAMES = {"/etc/passwd": f"root:x:{os.getuid()}:0::/:/bin/sh\n", "/etc/group": f"root:x:{os.getgid()}:\n"}


@pytest.fixture
def judged(me, host):
    """Craft a host, let `change(root)` spoil it, collect and evaluate by `baseline`."""

    def judge(files=NAMES, change=lambda _: None, user=me):
        root = host(NAMES | files)
        change(root)
        return user.evaluate("baseline", user.collect("files", root).out).verdicts

    return judge


def test_sound_host_passes(judged):
    """Files of the expected modes and owners pass, and the message shows what was seen."""
    found = judged({"/etc/shadow": ""}, lambda root: (root / "etc/shadow").chmod(0o640))
    assert found["files.accounts-protected"] == (
        "pass",
        "/etc/passwd is 0644 root:root, /etc/group is 0644 root:root",
    )
    assert found["files.passwords-closed"] == ("pass", "/etc/shadow is 0640 root:root")
    assert found["files.no-world-writable"][0] == "pass"
    assert found["files.no-ownerless"][0] == "pass"


def test_open_shadow_fails_with_its_remedy(judged):
    """A mode with too many bits names the file, its mode, the limit, the danger, and the command that mends it."""
    result, message = judged({"/etc/shadow": ""})["files.passwords-closed"]
    assert (result, message) == (
        "fail",
        "/etc/shadow is 0644, at most 0640 is allowed: they hold password hashes. Do: chmod o-r /etc/shadow",
    )


def test_remedy_names_every_bit(judged):
    """The command takes away what is too much of every class, special bits included, and nothing else."""
    message = judged({"/etc/shadow": ""}, lambda root: (root / "etc/shadow").chmod(0o4777))[
        "files.passwords-closed"
    ][1]
    assert message.endswith("Do: chmod u-x,g-wx,o-rwx,u-s /etc/shadow")


def test_world_writable_file_is_found(judged):
    """A file under /etc that everybody may write is named; a group's, a folder with the sticky bit, a link are not."""

    def spoil(root):
        (root / "etc/app").mkdir(mode=0o755)
        (root / "etc/app/secret.conf").write_text("")
        (root / "etc/app/secret.conf").chmod(0o602)
        (root / "etc/app/team.conf").write_text("")
        (root / "etc/app/team.conf").chmod(0o660)
        (root / "etc/app/drop").mkdir()
        (root / "etc/app/drop").chmod(0o1777)
        (root / "etc/app/link").symlink_to("drop")

    result, message = judged(change=spoil)["files.no-world-writable"]
    assert result == "fail"
    assert message.startswith("1 path under /etc writable by everybody: /etc/app/secret.conf. Do: chmod o-w")


def test_many_offenders_are_counted(judged):
    """A message names a few offenders and counts the rest, those that were not even listed too."""

    def spoil(root):
        for number in range(150):
            path = root / f"etc/open-{number:03}"
            path.write_text("")
            path.chmod(0o666)

    message = judged(change=spoil)["files.no-world-writable"][1]
    assert message.startswith("150 paths under /etc")
    assert "/etc/open-005 and 144 more" in message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_foreign_owner_and_ownerless_file_fail(judged):
    """A sensitive file of another user fails with chown; a file of no user at all is found."""

    def spoil(root):
        os.chown(root / "etc/passwd", 12345, 0)

    found = judged(change=spoil)
    result, message = found["files.accounts-protected"]
    assert (result, message) == ("fail", "/etc/passwd belongs to 12345. Do: chown root /etc/passwd")
    assert found["files.no-ownerless"][0] == "fail"
    assert "/etc/passwd (12345)" in found["files.no-ownerless"][1]


def test_closed_folder_is_unknown(judged, ordinary):
    """A folder that this user may not enter makes the walk's result unknown and is named; other checks stand."""

    def close(root):
        (root / "etc/private").mkdir()
        (root / "etc/private").chmod(0)

    found = judged(change=close, user=ordinary)
    result, message = found["files.no-world-writable"]
    assert result == "unknown"
    assert "closed to this user: /etc/private" in message
    assert found["files.accounts-protected"][0] == "pass"


def test_unreachable_sensitive_file_is_unknown(ordinary, host):
    """A sensitive file inside a folder that this user may not enter is unknown, with the reason."""
    root = host({"/boot/grub/grub.cfg": ""})
    (root / "boot/grub").chmod(0)
    verdicts = ordinary.evaluate("hardening", ordinary.collect("files", root).out).verdicts
    assert verdicts["files.boot-loader-closed"][0] == "unknown"
    assert "/boot/grub/grub.cfg (Permission denied)" in verdicts["files.boot-loader-closed"][1]


def test_closed_files_need_not_be_read(judged, ordinary):
    """Modes and owners are judged by any user, for they do not need the files to be read."""

    def close(root):
        (root / "etc/ssh/ssh_host_rsa_key").chmod(0o600)
        (root / "etc/sudoers.d").mkdir()
        (root / "etc/sudoers.d").chmod(0o750)

    found = judged({"/etc/ssh/ssh_host_rsa_key": ""}, close, ordinary)
    assert found["files.ssh-host-keys-closed"] == ("pass", "/etc/ssh/ssh_host_rsa_key is 0600 root:root")
    assert found["files.sudoers-protected"][0] == "pass"


def test_open_host_key_fails(judged):
    """A private host key that others may read is named with its path."""
    result, message = judged({"/etc/ssh/ssh_host_ed25519_key": ""})["files.ssh-host-keys-closed"]
    assert result == "fail"
    assert "chmod o-r /etc/ssh/ssh_host_ed25519_key" in message


def test_what_is_missing_does_not_apply(judged):
    """A host without sudo and cron has nothing to judge there."""
    found = judged()
    assert found["files.sudoers-protected"][0] == "notapplicable"
    assert found["files.cron-protected"][0] == "notapplicable"
