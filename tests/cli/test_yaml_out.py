"""What `jobsd import` writes is read back as what it was."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobsd.cli.yaml_out import printable, text

ANY = st.text(st.characters(exclude_categories=["Cs"]))


@given(ANY)
def test_any_text_comes_back(value):
    """On one line, whatever characters it holds, above U+FFFF and such as cannot be printed too."""
    written = text(value)
    assert written.isprintable()
    assert yaml.safe_load(f"x: {written}") == {"x": value}


@pytest.mark.parametrize(
    "value", ["\U000e0001", "\U0001f600", "\U0010ffff", "\x85\u2028", "\x7f", "\ufeff", 'a"\\b']
)
def test_characters_that_have_gone_wrong_before(value):
    """Tags beyond U+FFFF want eight digits: four of them are another character and some digits."""
    assert yaml.safe_load(text(value)) == value


@given(st.text())
def test_a_comment_stays_a_comment(value):
    """Nothing in it begins a line; half a surrogate pair does not either."""
    assert yaml.safe_load(f"x: 1  # {printable(value)}") == {"x": 1}
