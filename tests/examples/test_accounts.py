"""Accounts of crafted hosts: collected and judged by real processes."""

import json

import pytest

SOUND = (
    "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\nada:x:1000:1000::/home/ada:/bin/sh\n"
)
SHADOW = "root:$y$j9T$salt$hash:1::::::\ndaemon:*:1::::::\nada:$6$salt$hash:1::::::\n"


@pytest.fixture
def judged(me, host):
    """Craft a host with these files, collect and evaluate: {check: (result, message)} of both standards."""

    def judge(passwd=SOUND, shadow=SHADOW, user=me, mode=0o644):
        root = host({"/etc/passwd": passwd, "/etc/shadow": shadow, "/home/ada/.profile": ""})
        (root / "etc/shadow").chmod(mode)
        data = user.collect("accounts", root).out
        return user.evaluate("baseline", data).verdicts | user.evaluate("hardening", data).verdicts

    return judge


def test_sound_accounts_pass(judged):
    """Accounts with strong hashes, own numbers and no shells for services pass every check of theirs."""
    found = judged()
    failing = {check for check, (result, _) in found.items() if result != "pass"}
    assert failing <= {"accounts.homes-closed"}  # the crafted home is 0755


@pytest.mark.parametrize("shadow", ["bob::1::::::\n", "bob:::::::: \n"])
def test_empty_password_is_named(judged, shadow):
    """An account without a password in /etc/shadow fails by name, with what to do."""
    found = judged(SOUND + "bob:x:1001:1001::/home/bob:/bin/sh\n", SHADOW + shadow)
    assert found["accounts.no-empty-password"] == (
        "fail",
        "no password is needed for bob. Do: passwd --lock NAME, or set a password",
    )


def test_empty_password_in_passwd_is_named_even_to_ordinary_users(judged, ordinary):
    """An empty field in /etc/passwd is seen by every user, whatever /etc/shadow hides."""
    found = judged(SOUND + "eve::1002:1002::/:/bin/sh\n", user=ordinary, mode=0o000)
    assert found["accounts.no-empty-password"][0] == "fail"
    assert "eve" in found["accounts.no-empty-password"][1]


def test_hidden_shadow_is_unknown(judged, ordinary):
    """Where /etc/shadow cannot be read the password checks are unknown and the others stand."""
    found = judged(user=ordinary, mode=0o000)
    assert found["accounts.no-empty-password"][0] == "unknown"
    assert found["accounts.strong-hashes"][0] == "unknown"
    assert "Permission denied" in found["accounts.strong-hashes"][1]
    assert found["accounts.only-root-is-uid-0"][0] == "pass"


def test_data_holds_no_hash(me, host):
    """The collected data says of what kind a password is and never holds any part of a hash."""
    root = host({"/etc/passwd": SOUND, "/etc/shadow": SHADOW})
    out = me.collect("accounts", root).out
    assert "salt" not in out
    assert "hash" not in out
    kinds = {one["name"]: one["password"] for one in json.loads(out)["accounts"]}
    assert kinds == {"root": "yescrypt", "daemon": "locked", "ada": "sha512"}


@pytest.mark.parametrize(("field", "kind"), [("$1$salt$hash", "md5"), ("aaXXXXXXXXXXX", "des")])
def test_weak_hash_fails(judged, field, kind):
    """A password hashed by a method of old is named with its method."""
    found = judged(shadow=SHADOW.replace("$6$salt$hash", field))
    assert found["accounts.strong-hashes"][0] == "fail"
    assert f"ada ({kind})" in found["accounts.strong-hashes"][1]


def test_second_root_is_named(judged):
    """Another account with UID 0 fails, and is not called a duplicate besides."""
    found = judged(SOUND + "toor:x:0:0::/root:/bin/sh\n")
    assert found["accounts.only-root-is-uid-0"][0] == "fail"
    assert "toor" in found["accounts.only-root-is-uid-0"][1]
    assert found["accounts.unique"][0] == "pass"


def test_shared_numbers_and_names_fail(judged):
    """A UID or a name that two lines have fails, with who shares it."""
    found = judged(SOUND + "bob:x:1000:1::/:/bin/sh\nada:x:1003:1::/:/bin/sh\n")
    result, message = found["accounts.unique"]
    assert result == "fail"
    assert "UID 1000: ada, bob" in message
    assert "name ada: ada, ada" in message


def test_malformed_line_fails(judged):
    """A line that is no account, such as a NIS entry, fails and does not disturb the rest."""
    found = judged(SOUND + "+::::::\n")
    assert found["accounts.well-formed"][0] == "fail"
    assert found["accounts.unique"][0] == "pass"


def test_service_with_a_shell_fails(judged):
    """A service account that could log in is named with its shell."""
    found = judged(SOUND + "www:x:33:33::/var/www:/bin/bash\n")
    assert found["accounts.services-cannot-log-in"][0] == "fail"
    assert "www (/bin/bash)" in found["accounts.services-cannot-log-in"][1]


def test_open_home_fails(judged):
    """A home folder that others may enter is named with its mode."""
    result, message = judged()["accounts.homes-closed"]
    assert result == "fail"
    assert "/home/ada is 0755" in message
