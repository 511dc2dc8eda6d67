"""Params at rest."""

import pytest

from runners.sde.sealing import Seal, SealError

PARAMS = {"alm_pass": "geheim-ß", "port": 443, "nested": {"list": [1, None, True]}}


def test_what_is_sealed_is_opened_again_and_tells_nothing():
    """A seal gives back what it was given; the text shows no name and no value, and is another each time.

    Rule: secrets-at-rest
    """
    seal = Seal("first")
    one, two = seal.seal(PARAMS), seal.seal(PARAMS)
    assert seal.open(one) == seal.open(two) == PARAMS
    assert one != two
    assert not [word for word in ("alm_pass", "geheim", "443") if word in one]


def test_another_key_opens_nothing():
    """With another key, and with a damaged text, there is an error that names the setting and shows nothing."""
    sealed = Seal("first").seal(PARAMS)
    for text, seal in ((sealed, Seal("second")), (sealed[:-4], Seal("first")), ("", Seal("first"))):
        with pytest.raises(SealError, match="encryption_key") as caught:
            seal.open(text)
        assert "geheim" not in str(caught.value)


def test_a_new_key_stands_before_the_old_one():
    """The first line seals, all lines open; blank lines and blanks around a line do not matter."""
    old = Seal("old")
    both = Seal("\n  new \n\nold\n")
    assert both.open(old.seal(PARAMS)) == PARAMS
    assert Seal("new").open(both.seal(PARAMS)) == PARAMS
    with pytest.raises(SealError):
        old.open(both.seal(PARAMS))


def test_an_empty_key_is_none():
    """A secret of blanks seals nothing."""
    with pytest.raises(ValueError, match="empty"):
        Seal(" \n\n")
