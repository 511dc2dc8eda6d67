"""Token requests as the vendor's clients send them, and the answers."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.ccs.wire import PasswordGrant, RefreshGrant, Tokens, WireFaults, parse_token_request, parse_tokens

REQUESTS = [
    (b"grant_type=password&username=CORP\\svc&password=secret", PasswordGrant("CORP\\svc", "secret")),
    (b"grant_type=password&username=CORP\\svc&password=a+b/c==", PasswordGrant("CORP\\svc", "a+b/c==")),
    (b"grant_type=password&username=CORP%5Csvc&password=a%2Bb%20c%26d%3D", PasswordGrant("CORP\\svc", "a+b c&d=")),
    (b"grant_type=password&username=u&password=100%&scope=x\r\n", PasswordGrant("u", "100%")),
    (b"grant_type=password&username=u&password= p ", PasswordGrant("u", " p ")),
    ("grant_type=password&username=jörg&password=ü".encode(), PasswordGrant("jörg", "ü")),
    ("grant_type=password&username=jörg&password=ü".encode("latin-1"), PasswordGrant("jörg", "ü")),
    (b' {"grant_type": "password", "username": "CORP\\\\svc", "password": "{a+b}"}\r\n', PasswordGrant("CORP\\svc", "{a+b}")),
    (b"grant_type=refresh_token&refresh_token=a+b%3D", RefreshGrant("a+b=")),
    (b'{"grant_type": "refresh_token", "refresh_token": "t"}', RefreshGrant("t")),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "grant"), REQUESTS)
def test_a_request_is_read_whatever_its_label(raw, grant):
    """Form text or JSON; what is percent-encoded is decoded, a plus stays a plus."""
    assert parse_token_request(raw) == grant


MISSING = "is missing: it is mandatory"
WHICH = "must be password or refresh_token"
REFUSED = [
    (b"", f"grant_type: is missing: it {WHICH}"),
    (b"grant_type=client_credentials", f"grant_type: {WHICH}"),
    (b'{"grant_type": ["password"]}', f"grant_type: {WHICH}"),
    (b"grant_type=password", f"username: {MISSING}; password: {MISSING}"),
    (b"grant_type=password&username=&password=hush", "username: must be a text that is not empty"),
    (b'{"grant_type": "password", "username": "u", "password": 771177}', "password: must be a text that is not empty"),
    (b'{"grant_type": "password", "username": "u", "password": "hush\\ud800"}', "password: must be a text without half characters"),
    (b"grant_type=refresh_token", f"refresh_token: {MISSING}"),
    (b"grant_type=password&username=u&password=hush&password=hush2", "password: must stand only once"),
    (b'{"grant_type": "password", "password": "hush"', "the body must be form text or a JSON object"),
    (b"[1]", "the body must be form text or a JSON object"),
    (b"[" * 100_000, "the body must be form text or a JSON object"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "told"), REFUSED)
def test_a_request_at_fault_is_refused_without_its_values(raw, told):
    """The names of what is wrong, never what stood there."""
    with pytest.raises(WireFaults) as raised:
        parse_token_request(raw)
    assert str(raised.value) == told


@given(st.text(min_size=1), st.text(min_size=1))
def test_what_our_client_sends_is_read_again(username, password):
    """Every character, percent-encoded."""
    grant = PasswordGrant(username, password)
    assert parse_token_request(grant.wire()) == grant
    assert b" " not in grant.wire()
    assert b"+" not in grant.wire()
    refresh = RefreshGrant(password)
    assert parse_token_request(refresh.wire()) == refresh


@given(st.binary())
def test_no_bytes_break_the_reader(raw):
    """They are a grant, or refused."""
    try:
        parse_token_request(raw)
    except WireFaults as faults:
        json.dumps(faults.body(), ensure_ascii=False).encode()


def test_a_password_in_base64():
    """For servers that want it so."""
    sent = parse_token_request(PasswordGrant.base64("u", "pä+ss").wire())
    assert base64.b64decode(sent.password).decode() == "pä+ss"


def test_nothing_shows_a_credential():
    """Not even when it is printed by mistake."""
    shown = repr((PasswordGrant("u", "hush"), RefreshGrant("hush"), Tokens("hush", "hush", timedelta(hours=1))))
    assert "hush" not in shown


def test_token_answers():
    """Only the access token is needed; a life that makes no sense is left out."""
    tokens = Tokens("a", "r", timedelta(minutes=60))
    assert tokens.wire() == {"access_token": "a", "refresh_token": "r", "token_type": "bearer", "expires_in": 3600}
    assert parse_tokens(tokens.wire()) == tokens
    assert parse_tokens(Tokens("a").wire()) == Tokens("a")
    assert parse_tokens({"access_token": "a", "expires_in": "3599"}) == Tokens("a", None, timedelta(seconds=3599))
    for life in (0, -1, True, "x", 10**12, None, 1.5, []):
        assert parse_tokens({"access_token": "a", "refresh_token": 1, "expires_in": life}) == Tokens("a")
    for wrong in (None, [], {}, {"access_token": ""}, {"access_token": 1}):
        with pytest.raises(WireFaults, match="access_token"):
            parse_tokens(wrong)


@pytest.mark.parametrize(("body", "password", "unencoded"), [
    (b"grant_type=password&username=u&password=50%41", "50A", "50%41"),
    (b"grant_type=password&username=u&password=r&d\r\n", "r", "r&d"),
    (b"password=r&d&grant_type=password&username=u", "r", "r&d"),
    (b"grant_type=password&username=u&password=a+b=c", "a+b=c", None),
    (b"grant_type=password&username=u&password=\xfc%41", "\xfcA", None),
])  # fmt: skip
def test_a_password_that_its_client_did_not_encode(body, password, unencoded):
    """What it reads as, and what it is if the form is raw text, where that is something else and sound."""
    grant = parse_token_request(body)
    assert (grant.password, grant.unencoded) == (password, unencoded)
    assert "50%41" not in repr(grant)
