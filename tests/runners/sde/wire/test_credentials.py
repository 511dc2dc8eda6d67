"""The Authorization header."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sde.wire import BadCredentialsError, Login, TokenKey, parse_authorization

BASIC = base64.b64encode(b"ops:a:b").decode()


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None), ("", None), ("   ", None), ("Bearer abc", None), ("abc", None),
        ("Token abc", TokenKey("abc")), ("token abc", TokenKey("abc")), ("TOKEN   abc ", TokenKey("abc")),
        ('Token "abc"', TokenKey('"abc"')), ("Token: abc", None),
        (f"Basic {BASIC}", Login("ops", "a:b")), (f"bASIC {BASIC}", Login("ops", "a:b")),
        ("Basic " + base64.b64encode("ö:ü".encode("latin-1")).decode(), Login("ö", "ü")),
        ("Basic " + base64.b64encode(b"ops").decode(), Login("ops", "")),
    ],
)  # fmt: skip
def test_headers(header, found):
    """The scheme in any case, the key bare; a scheme that is not known is as none."""
    assert parse_authorization(header) == found
    if found is not None:
        assert parse_authorization(found.wire()) == found
        assert not {"abc", "a:b"} & set(repr(found).split("'"))


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Token", "Invalid token header. No credentials provided."),
        ("token a b", "Invalid token header. Token string should not contain spaces."),
        ("Basic", "Invalid basic header. No credentials provided."),
        ("Basic a b", "Invalid basic header. Credentials string should not contain spaces."),
        ("Basic a", "Invalid basic header. Credentials not correctly base64 encoded."),
    ],
)
def test_headers_at_fault(header, told):
    """401 in the framework's words; nothing of the header is repeated."""
    with pytest.raises(BadCredentialsError) as raised:
        parse_authorization(header)
    answer = raised.value.answer
    assert (answer.status, answer.body, answer.headers) == (401, {"detail": told}, {"WWW-Authenticate": "Token"})


@given(st.sampled_from(["Token ", "Basic ", ""]), st.text(st.characters(exclude_categories=[]), max_size=12))
def test_no_header_breaks_it(scheme, rest):
    """It is read or refused."""
    with suppress(BadCredentialsError):
        parse_authorization(scheme + rest)
