"""Secrets among params are taken out of what a command says."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sde.masking import Masking

SECRET = "p%4 ö/\"+'\\x"


@pytest.mark.parametrize(
    "name",
    ["alm_pass", "password", "Passphrase", "api_token", "analysis_api_key", "apikey", "client_secret", "ldap_pwd",
     "private_key", "proxy_auth", "credentials", "sde_authorization", "session_cookie", "github_pat", "pat", "key",
     "accessKey", "storage_account_key", "bearer"],
)  # fmt: skip
def test_secret_by_name(name):
    """A param is secret where its name says so, whatever its capitals."""
    assert Masking({name: "hunter22"}).text("login with hunter22 failed") == "login with *** failed"


@pytest.mark.parametrize(
    "name", ["alm_user", "alm_server", "project_key", "alm_auth_mode", "sde_project", "path", "patch", "compat"]
)
def test_not_secret_by_name(name):
    """What the message is about stays readable."""
    assert Masking({name: "hunter22"}).text("no such thing: hunter22") == "no such thing: hunter22"


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
        SECRET.replace("%", "%%"),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"svc:{SECRET}".encode()).decode(),
    ],
)
def test_spellings(spelling):
    """Also as addresses, JSON, Python, an INI and Basic authorizations spell it; as text and as bytes."""
    masking = Masking({"alm_user": "svc", "alm_pass": SECRET})
    assert masking.text(f"GET {spelling}!") == "GET ***!"
    assert masking.raw(f"GET {spelling}!".encode()) == b"GET ***!"


def test_within():
    """All that is inside a secret object is secret, and secret names inside others; JSON within a text too."""
    masking = Masking({
        "credentials": {"a": ["first-one", {"b": "second-one"}]},
        "servers": [{"password": "third-one", "name": "jira"}],
        "mapping": '{"token": "fourth-one", "x": "shown-one"}',
        "broken": "{",
        "token_id": 987654,
    })  # fmt: skip
    told = "first-one second-one third-one fourth-one shown-one jira 987654"
    assert masking.text(told) == "*** *** *** *** shown-one jira ***"


def test_addresses():
    """A password in an address is secret wherever it stands."""
    masking = Masking({"alm_server": "https://svc:geheim99@jira.example.com/x", "u": "http://a.example:80/@x"})
    assert (
        masking.text("https://svc:geheim99@jira.example.com/x: 401") == "https://svc:***@jira.example.com/x: 401"
    )
    assert masking.text("a.example:80/") == "a.example:80/"


def test_the_longest_goes_first():
    """A secret that is part of another leaves nothing of it."""
    assert Masking({"a_pass": "abcd", "b_pass": "abcdefgh"}).text("abcdefgh abcd") == "*** ***"


def test_short_ones():
    """One of few characters is masked where it stands alone: the rest would not be readable."""
    assert Masking({"pass": "ab"}).text("ab about 'ab' cab ab") == "*** about '***' cab ***"


@pytest.mark.parametrize("value", ["", " ", "true", "False", "none", True, False, None, 60, 1.5])
def test_no_secrets(value):
    """Words and numbers that stand for a setting are none."""
    text = "it is true, False or none at 60, 1.5"
    assert Masking({"use_token": value}).text(text) == text


def test_lines_of_a_key_file():
    """A secret of several lines is masked line by line, as it may be printed; short lines of it are not."""
    masking = Masking({"private_key": "-----BEGIN KEY-----\nAAAABBBBCCCC\nab\n-----END KEY-----\n"})
    assert masking.raw(b"x AAAABBBBCCCC ab\n-----BEGIN KEY-----") == b"x *** ab\n***"


def test_bytes_that_are_no_text_stay():
    """What is not UTF-8 passes through."""
    assert Masking({"pass": "hunter22"}).raw(b"\xff hunter22 \xfe") == b"\xff *** \xfe"


def test_params_may_be_nested_as_deeply_as_a_server_likes():
    """Beyond what functions may: one such connection would end the attempt of all of them."""
    nested = "hunter22"
    for _ in range(10_000):
        nested = {"inner": [nested]}
    assert Masking({"pass": nested}).text("as hunter22") == "as ***"


def test_half_characters():
    """A secret that is no whole text breaks nothing."""
    assert Masking({"pass": "\ud800abcd"}).text("xx") == "xx"


@given(st.dictionaries(st.sampled_from(["a_pass", "token", "x"]), st.text(min_size=4), max_size=3), st.text())
def test_no_secret_is_left(params, around):
    """Whatever the params and the text, no secret of four characters or more is in the result but within a mask."""
    secrets = [
        v.strip() for k, v in params.items() if k != "x" and len(v.strip()) >= 4 and len(v.splitlines()) == 1
    ]
    text = around.join(["", *secrets, ""])
    masked = Masking(params).text(text)
    plain = {"true", "false", "none", "null"}
    assert not any(s in masked.replace("***", "\0") for s in secrets if s.lower() not in plain and "*" not in s)
