"""docs/configuration.md: its examples load, its tables are the models'."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import config
from config.body import plain_value
from config.key_tables import filled

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_there_are_examples() -> None:
    """The page has examples of every part."""
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_examples(loads, block: str) -> None:
    """Every example of the page is a whole file that loads without a warning."""
    assert loads(block).warnings == ()


@pytest.mark.parametrize("page", ["sde", "sde-agent", "sde-api", "notifications", "calendars"])
def test_examples_of_other_pages(page: str, loads) -> None:
    """They are whole files, but for their first line, and nothing is odd in them; programs of /opt are not here."""
    text = PAGE.with_name(f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        found = loads(block if block.startswith("version:") else f"version: 1\n{block}")
        lines = [*found.warnings, *config.lint(found, now=datetime(2026, 11, 22, 12, tzinfo=UTC))]
        assert [line for line in lines if "is not a file now" not in line] == []


def test_tables() -> None:
    """The page's tables of keys are what the models say; config.key_tables.filled writes them anew."""
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
    named = set(re.findall(r"`(\w+)`", page))
    assert _keys(config.json_schema()) <= named


def _keys(schema: object) -> set[str]:
    """Every key that the schema knows, but those of values that are written in one line."""
    inline = {"credential", "file", "env", "from", "to"}
    found: set[str] = set()
    if isinstance(schema, dict):
        if schema.get("additionalProperties") is False:
            found |= set(schema["properties"]) - inline
        for part in schema.values():
            found |= _keys(part)
    elif isinstance(schema, list):
        for part in schema:
            found |= _keys(part)
    return found


def test_defaults_of_the_schema(loads) -> None:
    """A file that writes every default of the settings means the same as one that writes none."""
    keys = config.json_schema()["properties"]["settings"]["properties"]
    assert Draft202012Validator(keys["http"]).is_valid({})
    written = {name: key["default"] for name, key in keys.items() if "default" in key}
    lines = "".join(f"  {name}: {value}\n" for name, value in written.items())
    assert plain_value(loads(f"version: 1\nsettings:\n{lines}").settings) == plain_value(
        loads("version: 1").settings
    )
