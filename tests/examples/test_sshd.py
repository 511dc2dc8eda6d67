"""The SSH server's configuration on crafted hosts: collected and judged by real processes."""

import pytest


@pytest.fixture
def judged(me, host):
    """Craft sshd_config and its includes, collect and evaluate: {check: (result, message)} of both standards."""

    def judge(config, user=me, mode=0o644, **includes):
        files = {"/etc/ssh/sshd_config": config}
        files |= {f"/etc/ssh/sshd_config.d/{name}.conf": text for name, text in includes.items()}
        root = host(files)
        (root / "etc/ssh/sshd_config").chmod(mode)
        data = user.collect("sshd", root).out
        return user.evaluate("baseline", data).verdicts | user.evaluate("hardening", data).verdicts

    return judge


def test_defaults_are_judged(judged):
    """What is not set has the server's default: root by key only passes, passwords fail."""
    found = judged("# PermitRootLogin yes\n")
    assert found["sshd.no-root-password"] == (
        "pass",
        "PermitRootLogin is prohibit-password (not set, sshd's default)",
    )
    assert found["sshd.no-passwords"][0] == "fail"


@pytest.mark.parametrize("line", ["PermitRootLogin yes", "  permitrootlogin=yes", 'PermitRootLogin "yes" # oh'])
def test_root_login_fails_with_its_place(judged, line):
    """Every way to write it is understood, and the message names file and line."""
    result, message = judged(f"Port 22\n{line}\n")["sshd.no-root-password"]
    assert result == "fail"
    assert "PermitRootLogin is yes (/etc/ssh/sshd_config:2)" in message
    assert "Do: PermitRootLogin prohibit-password in /etc/ssh/sshd_config" in message


def test_first_value_wins_over_includes(judged):
    """As in sshd a keyword's first value counts, includes being read where they stand, in the order of their names."""
    config = "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\n"
    found = judged(config, b="PermitRootLogin no\n", a="PermitRootLogin yes\n")
    assert "(/etc/ssh/sshd_config.d/a.conf:1)" in found["sshd.no-root-password"][1]
    assert found["sshd.no-root-password"][0] == "fail"


def test_relative_include_is_below_etc_ssh(judged):
    """A relative Include is below /etc/ssh."""
    found = judged("Include sshd_config.d/*.conf\n", a="PasswordAuthentication no\n")
    assert found["sshd.no-passwords"][0] == "pass"


def test_match_blocks_are_not_taken_for_global(judged):
    """What stands in a Match block is not judged, and the message says that there are such blocks."""
    found = judged("Match User git\n  PermitRootLogin yes\n  PasswordAuthentication no\n")
    assert found["sshd.no-root-password"][0] == "pass"
    assert "1 Match block" in found["sshd.no-root-password"][1]
    assert found["sshd.no-passwords"][0] == "fail"


def test_number_is_compared(judged):
    """MaxAuthTries is a number with an upper bound."""
    assert judged("MaxAuthTries 3\n")["sshd.few-tries"][0] == "pass"
    assert judged("MaxAuthTries 10\n")["sshd.few-tries"][0] == "fail"


def test_hidden_configuration_is_unknown(judged, ordinary):
    """A configuration that this user may not read is unknown, with its name and the reason."""
    found = judged("", ordinary, 0o000)
    assert {result for result, _ in found.values()} == {"unknown"}
    assert "/etc/ssh/sshd_config could not be read: Permission denied" in found["sshd.no-passwords"][1]


def test_no_server_does_not_apply(me, host):
    """A host without sshd_config has no SSH server to judge."""
    data = me.collect("sshd", host({"/etc/passwd": ""})).out
    assert {result for result, _ in me.evaluate("baseline", data).verdicts.values()} == {"notapplicable"}
