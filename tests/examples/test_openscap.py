"""The OpenSCAP example with the real oscap: what is collected, what is judged from it, and oscap's own opinion."""

import os
import re
import shutil
from pathlib import Path

import pytest

from config.loading import load

PROFILES = ("baseline", "server")
FILES = {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n",
    "/etc/shadow": "root:$y$j9T$salt$secret:1::::::\nada:*:1::::::\n",
    "/etc/ssh/sshd_config": "PermitRootLogin no\n",
    "/etc/ssh/ssh_host_rsa_key": "",
}
PRIVATE = ("etc/shadow", "etc/ssh/ssh_host_rsa_key")

pytestmark = pytest.mark.skipif(
    shutil.which("oscap") is None, reason="oscap is not installed (Debian: openscap-scanner)"
)


class OpenScap:
    """The example's two programs, run by a user."""

    def __init__(self, user):
        self.user, self.folder = user, user.examples / "openscap"

    def collect(self, root=None):
        """The system characteristics, below `root` if given."""
        done = self.user.run([self.folder / "collect.sh", "here", *([] if root is None else [root])])
        assert done.code == 0, done.err
        return done.out

    def evaluate(self, profile, collected):
        """The evaluation of a profile."""
        return self.user.run([self.user.python, self.folder / "evaluate.py", profile], collected)

    def judge(self, root=None):
        """Collect once, judge by both profiles: check -> (result, message)."""
        collected = self.collect(root)
        return {
            check: verdict
            for profile in PROFILES
            for check, verdict in self.evaluate(profile, collected).verdicts.items()
        }


@pytest.fixture
def openscap(me):
    """The example as this user runs it."""
    return OpenScap(me)


@pytest.fixture
def sound(host):
    """A crafted host on which every check passes (owners aside, where this is not root)."""

    def craft(files=FILES):
        root = host(FILES | files)
        for name in PRIVATE:
            (root / name).chmod(0o600)
        return root

    return craft


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the crafted files must be root's")
def test_sound_host_passes(openscap, sound):
    """Every check passes on a sound host; a kernel setting cannot be seen in a mere folder."""
    found = {check: result for check, (result, _) in openscap.judge(sound()).items()}
    assert found.pop("aslr") == "notapplicable"
    assert set(found.values()) == {"pass"}
    assert len(found) == 7


@pytest.mark.parametrize(
    ("file", "text", "check", "offender"),
    [
        ("/etc/shadow", "root:*:1::::::\nbob::1::::::\n", "no-empty-password", "bob (/etc/shadow)"),
        ("/etc/passwd", "root:x:0:0::/:/\ntoor:x:0:0::/:/\n", "only-root-is-uid-0", "toor (/etc/passwd)"),
        ("/etc/passwd", "root:x:0:0::/:/\neve::7:7::/:/\n", "no-empty-password", "eve (/etc/passwd)"),
        ("/etc/ssh/sshd_config", " permitrootlogin yes\n", "ssh-root-password", "permitrootlogin yes"),
        ("/etc/ssh/sshd_config.d/a.conf", "PermitRootLogin=yes\n", "ssh-root-password", "sshd_config.d/a.conf"),
    ],
)
def test_faulty_content_fails_with_offender_and_remedy(openscap, sound, file, text, check, offender):
    """A faulty line fails its check; the message names the offender, the requirement, and what to do."""
    result, message = openscap.judge(sound({file: text}))[check]
    assert result == "fail"
    assert offender in message
    assert ". Required: " in message
    assert ". Do: " in message


def test_faulty_modes_fail(openscap, sound):
    """A mode that is too open fails its check, with file and mode; a comment in sshd_config does not."""
    root = sound({"/etc/ssh/sshd_config": "# PermitRootLogin yes\n", "/etc/open": ""})
    (root / "etc/shadow").chmod(0o644)
    (root / "etc/passwd").chmod(0o664)
    (root / "etc/ssh/ssh_host_rsa_key").chmod(0o644)
    (root / "etc/open").chmod(0o666)
    found = openscap.judge(root)
    assert "/etc/shadow is rw-r--r--" in found["shadow-closed"][1]
    assert "/etc/passwd is rw-rw-r--" in found["passwd-owner"][1]
    assert "/etc/ssh/ssh_host_rsa_key is rw-r--r--" in found["ssh-host-keys"][1]
    assert "/etc/open is rw-rw-rw-" in found["world-writable"][1]
    failing = {check for check, (result, _) in found.items() if result == "fail"}
    assert failing == {"shadow-closed", "passwd-owner", "ssh-host-keys", "world-writable"}


def test_evaluation_looks_at_data_alone(openscap, sound):
    """What was collected is judged as it was then, though the host has changed since or is gone."""
    root = sound({"/etc/passwd": "root:x:0:0::/:/\ntoor:x:0:0::/:/\n"})
    collected = openscap.collect(root)
    shutil.rmtree(root)
    assert openscap.evaluate("baseline", collected).verdicts["only-root-is-uid-0"][0] == "fail"


def test_data_holds_no_hash(openscap, sound):
    """The collected data never holds a password's hash."""
    assert "secret" not in openscap.collect(sound())


@pytest.mark.parametrize("profile", PROFILES)
def test_verdicts_are_those_of_xccdf_eval(me, openscap, profile):
    """On this host the verdicts are the same as those of `oscap xccdf eval`, which probes and judges at once."""
    name = f"xccdf_example.jobsd_profile_{profile}"
    done = me.run(["oscap", "xccdf", "eval", "--profile", name, openscap.folder / "host.xccdf.xml"])
    theirs = dict(re.findall(r"^Rule\s+\S+_rule_(\S+)\nResult\s+(\S+)$", done.out, re.MULTILINE))
    ours = {
        check: result for check, (result, _) in openscap.evaluate(profile, openscap.collect()).verdicts.items()
    }
    if os.geteuid() != 0:  # a probe that was refused: an error for oscap, unknown for us
        theirs = {check: "unknown" if result == "error" else result for check, result in theirs.items()}
    assert ours
    assert ours == theirs


def test_ordinary_user_gets_unknown(ordinary):
    """As an ordinary user the check that needs /etc/shadow is unknown with oscap's reason; nothing is an error."""
    if os.access("/etc/shadow", os.R_OK) and os.geteuid() != 0:
        pytest.skip("this user may read /etc/shadow")
    found = OpenScap(ordinary).judge()
    assert found["no-empty-password"][0] == "unknown"
    assert "'/etc/shadow' Permission denied. Run jobsd as root" in found["no-empty-password"][1]
    assert "error" not in {result for result, _ in found.values()}


def test_missing_root_is_unreachable(me, tmp_path):
    """A root without a system in it ends with exit code 75."""
    done = me.run([me.examples / "openscap/collect.sh", "image-7", tmp_path])
    assert (done.code, done.out) == (75, "")
    assert done.err.startswith("image-7: there is no system below")


def test_unknown_profile_and_foreign_data_fail(openscap):
    """A profile that does not exist, and data that is no OVAL, are failures with a reason."""
    wrong = openscap.evaluate("cis", "")
    assert (wrong.code, wrong.out) == (1, "")
    assert "it has: baseline, server" in wrong.err
    foreign = openscap.evaluate("baseline", "<x/>")
    assert (foreign.code, foreign.out) == (1, "")
    assert "oscap could not analyse" in foreign.err


def test_missing_oscap_is_a_failure_that_names_the_package(me, tmp_path):
    """Without oscap the collection fails, and says what to install."""
    for name in ("sh", "dirname", "cat"):
        (tmp_path / name).symlink_to(Path(shutil.which(name)).resolve())
    script = me.examples / "openscap/collect.sh"
    done = me.run([shutil.which("sh"), script, "here"], path=str(tmp_path))
    assert (done.code, done.out) == (1, "")
    assert "apt-get install openscap-scanner" in done.err


def test_content_is_valid(me):
    """Oscap finds nothing wrong with benchmark and definitions, and the YAML's standards are its profiles."""
    folder = me.examples / "openscap"
    assert me.run(["oscap", "xccdf", "validate", folder / "host.xccdf.xml"]).code == 0
    assert me.run(["oscap", "oval", "validate", folder / "host.oval.xml"]).code == 0
    (job,) = load(folder / "openscap.yaml").jobs.values()
    assert job.run.standards == PROFILES
