"""The JSON Schema that editors use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import config
from config.nodes import key_text, scalar
from config.yaml_text import compose

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The schema, itself checked."""
    schema = config.json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def plain(text: str) -> Any:
    """A text as JSON values, by the words of YAML 1.2."""
    return _plain(compose(text, file="x"))


def _plain(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key_text(key): _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    return scalar(node) if isinstance(node, yaml.ScalarNode) else None


FILES = [ROOT / "tests/config/data/interfaces.yaml", *sorted((ROOT / "examples").rglob("*.yaml"))]


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_good_files(validator: Draft202012Validator, file: Path) -> None:
    """The example of the interfaces page and every example file load, and the schema accepts them."""
    config.load(file)
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(plain(file.read_text()))]
    assert errors == []


REFUSED = [
    "{}",
    "{version: 2}",
    "{version: 1, jbos: []}",
    "{version: 1, jobs: {}}",
    "{version: 1, jobs: [{run: {command: {argv: [a]}}}]}",
    "{version: 1, jobs: [{name: a}]}",
    "{version: 1, jobs: [{name: A, run: {command: {argv: [a]}}}]}",
    "{version: 1, jobs: [{name: a, run: {}}]}",
    "{version: 1, jobs: [{name: a, run: {comand: {argv: [a]}}}]}",
    "{version: 1, jobs: [{name: a, run: {command: {argv: [a]}, http: {url: 'https://x'}}}]}",
    "{version: 1, jobs: [{name: a, run: {command: {argv: []}}}]}",
    "{version: 1, jobs: [{name: a, run: {command: {argv: [5]}}}]}",
    "{version: 1, jobs: [{name: a, run: {command: {argv: [a], success: [256]}}}]}",
    "{version: 1, jobs: [{name: a, run: {http: {url: 'ftp://x'}}}]}",
    "{version: 1, jobs: [{name: a, retry: {attempts: 0}, run: {command: {argv: [a]}}}]}",
    "{version: 1, jobs: [{name: a, enabled: yes, run: {command: {argv: [a]}}}]}",
    "{version: 1, jobs: [{name: a, overlap: never, run: {command: {argv: [a]}}}]}",
    "{version: 1, settings: {catch_up_rate: 20}}",
    "{version: 1, settings: {stop_timeout: 60}}",
    "{version: 1, settings: {stop_timeout: 1.5h}}",
    "{version: 1, settings: {output_limit: 1 megabyte}}",
    "{version: 1, settings: {http: {listen: localhost}}}",
    "{version: 1, settings: {http: {tokens: [{name: a, token: {path: b}}]}}}",
    "{version: 1, servers: {a: {type: jira}}}",
    "{version: 1, servers: {A: {type: sde, url: 'https://x', token: {env: T}}}}",
    "{version: 1, calendars: {a: {dates: [tomorrow]}}}",
    "{version: 1, assets: {web: {id: a, type: linux}}}",
    "{version: 1, defaults: {name: a}}",
    "{version: 1, defaults: {schedule: {daily: {}, weekly: {on: friday}}}}",
]
SCHEDULES = [
    "{}", "{at: '22:00'}", "{daily: {}, once: true}", "{daily: {every: 0}}", "{weekly: {}}", "{weekly: {on: []}}",
    "{weekly: {on: firday}}", "{monthly: {day: 32}}", "{monthly: {on: fifth friday}}", "{once: false}",
    "{interval: 15}", "{cron: '0 0 * *'}", "{cron: '0 0 * * *', at: '22:00'}", "{cron: '0 0 * * *', dst: {gap: skip}}",
    "{frequency: yearly}", "{ccs: {}, window: 4h}", "{ccs: {StartDay: x}}", "{daily: {}, at: '25:30'}",
    "{daily: {}, start: 2026-01-01}", "{daily: {}, rerun: {every: 1d}}", "{daily: {}, dst: {gap: jump}}",
]  # fmt: skip
REFUSED += [
    f"{{version: 1, jobs: [{{name: a, schedule: {s}, run: {{command: {{argv: [a]}}}}}}]}}" for s in SCHEDULES
]


@pytest.mark.parametrize("text", REFUSED)
def test_faults_that_a_schema_can_say(validator: Draft202012Validator, loads, text: str) -> None:
    """What a schema can express is refused by it, and by the loader."""
    assert not validator.is_valid(plain(text))
    with pytest.raises(config.ConfigError):
        loads(text)


ACCEPTED = [
    "{version: 1}",
    "{version: 1, jobs: null, defaults: null}",
    "{version: 1, defaults: {run: {command: {argv: [a]}}}, jobs: [{name: a}]}",
    "{version: 1, defaults: {run: {command: {timeout: 1h}}}, jobs: [{name: a, run: {command: {argv: [a]}}}]}",
    "{version: 1, defaults: {schedule: {window: 4h}}, jobs: [{name: a, schedule: {daily: }, run: {command: {argv: [a]}}}]}",
    "{version: 1, jobs: [{name: a, schedule: {daily: {}, cron: null}, priority: null, run: {command: {argv: [a]}}}]}",
    "{version: 1, jobs: [{name: a, schedule: null, run: {command: {argv: [a]}}}]}",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_both_accept(validator: Draft202012Validator, loads, text: str) -> None:
    """null, bare words and inheritance are accepted by the schema as by the loader."""
    assert [error.message for error in validator.iter_errors(plain(text))] == []
    loads(text)


def test_every_key_is_described() -> None:
    """Every key has a description, and every default is one that may be written."""
    schema = config.json_schema()
    found = list(_properties(schema, "$"))
    assert len(found) > 150
    for path, key in found:
        assert key.get("description"), path
        if "default" in key:
            assert Draft202012Validator({**key, "$defs": schema["$defs"]}).is_valid(key["default"]), path


def _properties(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from _properties(item, f"{path}[{index}]")
    if not isinstance(schema, dict):
        return
    if schema.get("additionalProperties") is False:
        named = {"credential", "file", "env"}
        for name, key in schema["properties"].items():
            if not (named & schema["properties"].keys() and len(schema["properties"]) == 1):
                yield f"{path}.{name}", key
    for name, part in schema.items():
        yield from _properties(part, f"{path}.{name}")
