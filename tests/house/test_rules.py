"""Every rule of doubt has a test that names it, and every rule that a test names is on the page."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/rules.md").read_text()


@pytest.fixture(scope="module")
def tool():
    """The program that finds them."""
    spec = importlib.util.spec_from_file_location("shown_rules", ROOT / "tools/shown_rules.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_rule_has_a_test(tool):
    """A rule that no test names fails here, and so does a test that names a rule which is not on the page."""
    rules = tool.rules(PAGE)
    assert len(rules) == len(set(rules)) > 50
    assert {rule for rule in rules if rule not in tool.shown()} == set()
    assert tool.shown().keys() - set(rules) == set()


def test_the_page_lists_the_tests(tool):
    """docs/rules.md is what `make docs` writes."""
    assert tool.filled(PAGE) == PAGE
